import { ApiProperty } from '@nestjs/swagger';
import { Matches, ValidateIf } from 'class-validator';
import { JobView } from '../jobs/job.dto.js';

export class BuildView {
  @ApiProperty()
  build: string;
  @ApiProperty()
  installedAt: string;
  @ApiProperty({ description: 'What servers get at their next start.' })
  current: boolean;
  @ApiProperty({ description: 'The demo runtime, a stand-in for the game.' })
  demo: boolean;
  @ApiProperty()
  bytes: number;
}

/** A machine that runs servers. */
export class HostView {
  @ApiProperty({ type: 'integer' })
  id: number;
  @ApiProperty()
  name: string;
  @ApiProperty({
    type: String,
    nullable: true,
    description: "Where players find its servers; null: the host of LEFT4ME_PUBLIC_URL, or the panel's own machine.",
  })
  address: string | null;
  @ApiProperty({ description: 'Its worker was seen within the last 15 s, and has not been stopped.' })
  online: boolean;
  @ApiProperty({
    type: String,
    nullable: true,
    description: 'When its worker was last seen; null: none has ever come.',
  })
  workerSeenAt: string | null;
  @ApiProperty({ type: String, nullable: true, enum: ['process', 'systemd'] })
  serviceManager: string | null;
  @ApiProperty({ type: String, nullable: true, enum: ['namespaces', 'copy'] })
  isolation: string | null;
  @ApiProperty({ type: String, nullable: true, description: 'Why servers are not isolated; null when they are.' })
  isolationReason: string | null;
  @ApiProperty({ description: 'No steamcmd is configured: `install` sets up the demo runtime.' })
  demo: boolean;
  @ApiProperty({ type: String, nullable: true })
  currentBuild: string | null;
  @ApiProperty({ type: String, nullable: true, description: "Steam's newest build, as it said last." })
  newestBuild: string | null;
  @ApiProperty({ type: String, nullable: true, description: 'When Steam said so.' })
  newestBuildAt: string | null;
  @ApiProperty({ description: 'The current build is not the newest one.' })
  updateAvailable: boolean;
  @ApiProperty({ type: [BuildView] })
  builds: BuildView[];
  @ApiProperty({ type: JobView, nullable: true, description: 'The install that runs or waits.' })
  job: JobView | null;
}

/** Host names (RFC 1123, section 2.1): the last label is none of digits alone, so that what looks like an IPv4 address is one. */
const LABEL = '[a-z\\d](?:[a-z\\d-]{0,61}[a-z\\d])?';
const OCTET = '(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)';
const ADDRESS = new RegExp(
  `^(?:${OCTET}(?:\\.${OCTET}){3}|(?=.{1,253}$)(?!(?:.*\\.)?\\d+$)${LABEL}(?:\\.${LABEL})*)$`,
  'i',
);

export class HostChange {
  @ApiProperty({
    type: String,
    nullable: true,
    example: 'attic.example.org',
    description: 'A name or an IPv4 address.',
  })
  @ValidateIf((change: HostChange) => change.address !== null)
  @Matches(ADDRESS, { message: 'must be a name or an IPv4 address, without a port, or null' })
  address: string | null;
}
