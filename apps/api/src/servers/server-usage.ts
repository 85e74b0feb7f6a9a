import type { InstanceStatus } from '@left4me/host';
import { ApiProperty } from '@nestjs/swagger';

const MIB = 1024 * 1024;

/** What a server uses of its machine, and what it may. */
export class ServerUsage {
  @ApiProperty({ type: 'integer', description: 'Whole MiB, without file contents that the kernel may drop.' })
  memoryBytes: number;
  @ApiProperty({ type: Number, nullable: true, description: 'More, and the kernel ends it. Null: no limit.' })
  memoryLimitBytes: number | null;
  @ApiProperty({
    type: Number,
    nullable: true,
    description: 'Between the last two looks, 100 is one processor; null at the first look.',
  })
  cpuPercent: number | null;
  @ApiProperty({ type: Number, nullable: true, description: 'More, and the kernel slows it down. Null: no limit.' })
  cpuLimitPercent: number | null;
  @ApiProperty({ type: Number, nullable: true, description: 'Threads and processes together.' })
  tasks: number | null;
  @ApiProperty({ type: Number, nullable: true, description: 'More, and it cannot make another. Null: no limit.' })
  tasksLimit: number | null;
}

/** Makes shares of processor time of the seconds that the host counts. */
export class UsageMeter {
  private readonly last = new Map<number, { seconds: number; at: number }>();

  /** @param now in milliseconds, never going back */
  read(serverId: number, { usage }: InstanceStatus, now = performance.now()): ServerUsage | null {
    const before = this.last.get(serverId);
    if (usage === null) {
      this.last.delete(serverId);
      return null;
    }
    this.last.set(serverId, { seconds: usage.cpuSeconds, at: now });
    // Less than before: it was started anew.
    const counts = before !== undefined && usage.cpuSeconds >= before.seconds && now > before.at;
    const share = counts ? (usage.cpuSeconds - before.seconds) / ((now - before.at) / 1000) : null;
    return {
      memoryBytes: Math.round(usage.memoryBytes / MIB) * MIB,
      memoryLimitBytes: usage.memoryLimitBytes,
      cpuPercent: share === null ? null : Math.round(share * 100),
      cpuLimitPercent: usage.cpuLimitPercent,
      tasks: usage.tasks,
      tasksLimit: usage.tasksLimit,
    };
  }
}
