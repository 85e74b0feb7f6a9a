/** What a server says of itself over A2S. */
export interface Answer {
  map: string;
  players: number;
  maxPlayers: number;
}

/**
 * Asks a server over A2S (https://developer.valvesoftware.com/wiki/Server_queries).
 * @returns null when it did not answer in time, which means unknown, never empty
 */
export async function query(address: string, port: number): Promise<Answer | null> {
  // Loaded with the first server that runs: it is a seventh of what a panel loads, and an API alone asks no server.
  const { GameDig } = await import('gamedig');
  try {
    const state = await GameDig.query({
      type: 'l4d2',
      host: address,
      port,
      givenPortOnly: true,
      maxRetries: 2,
      socketTimeout: 1000,
      attemptTimeout: 2500,
    });
    return { map: state.map, players: state.numplayers, maxPlayers: state.maxplayers };
  } catch {
    // gamedig throws plain errors for every kind of silence.
    return null;
  }
}
