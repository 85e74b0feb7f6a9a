/** What a server says of itself over A2S. */
export interface Answer {
  map: string;
  players: number;
  maxPlayers: number;
}

const QUESTION = {
  type: 'l4d2',
  givenPortOnly: true,
  maxRetries: 2,
  socketTimeout: 1000,
  attemptTimeout: 2500,
  // How many play is in the first answer; who they are would be a second question. (gamedig's types do not know this option.)
  requestPlayers: false,
} as const;

/**
 * Asks a server over A2S (https://developer.valvesoftware.com/wiki/Server_queries).
 * @returns null when it did not answer in time, which means unknown, never empty
 */
export async function query(address: string, port: number): Promise<Answer | null> {
  // Loaded with the first server that runs: it is a seventh of what a panel loads, and an API alone asks no server.
  const { GameDig } = await import('gamedig');
  try {
    const state = await GameDig.query({ ...QUESTION, host: address, port });
    return { map: state.map, players: state.numplayers, maxPlayers: state.maxplayers };
  } catch {
    // gamedig throws plain errors for every kind of silence.
    return null;
  }
}
