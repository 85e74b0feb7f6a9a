/**
 * Source RCON packets, https://developer.valvesoftware.com/wiki/Source_RCON_Protocol: size, id, type (int32, little
 * endian), body, two NULs. `size` counts what follows it.
 */
export const RCON = { auth: 3, authResponse: 2, command: 2, response: 0 } as const;

const MAX_SIZE = 4_096 + 64;

export interface RconPacket {
  id: number;
  type: number;
  body: string;
}

export function encodePacket({ id, type, body }: RconPacket): Buffer {
  const text = Buffer.from(body, 'utf8');
  const packet = Buffer.alloc(14 + text.length);
  packet.writeInt32LE(10 + text.length, 0);
  packet.writeInt32LE(id, 4);
  packet.writeInt32LE(type, 8);
  text.copy(packet, 12);
  return packet;
}

/** Collects bytes and gives whole packets. Throws when the stream is not RCON. */
export class PacketReader {
  private held = Buffer.alloc(0);

  push(chunk: Buffer): RconPacket[] {
    this.held = Buffer.concat([this.held, chunk]);
    const packets: RconPacket[] = [];
    while (this.held.length >= 4) {
      const size = this.held.readInt32LE(0);
      if (size < 10 || size > MAX_SIZE) throw new Error(`not an RCON packet (size ${size})`);
      if (this.held.length < 4 + size) break;
      packets.push({
        id: this.held.readInt32LE(4),
        type: this.held.readInt32LE(8),
        body: this.held.toString('utf8', 12, 4 + size - 2),
      });
      this.held = this.held.subarray(4 + size);
    }
    return packets;
  }
}
