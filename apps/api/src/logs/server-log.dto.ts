import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsBooleanString, IsInt, IsOptional, Matches, Max, Min } from 'class-validator';
import { positionPattern } from './server-log-stream.js';

export const positionMessage = 'must be a position from an earlier answer';

export class ServerLogQuery {
  @ApiPropertyOptional({ description: 'How many lines; without `after` the last ones.' })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(20_000)
  lines?: number;

  @ApiPropertyOptional({ description: 'Only lines after this position.' })
  @IsOptional()
  @Matches(positionPattern, { message: positionMessage })
  after?: string;

  @ApiPropertyOptional({
    enum: ['true', 'false'],
    description: 'true: stream what is there and what comes, see above.',
  })
  @IsOptional()
  @IsBooleanString()
  follow?: string;
}

export class ServerLogItem {
  @ApiProperty({ description: 'Opaque.' })
  position: string;
  @ApiProperty({ enum: ['stdout', 'stderr'] })
  stream: string;
  @ApiProperty()
  line: string;
  @ApiProperty()
  at: string;
}

export class ServerLogAnswer {
  @ApiProperty({ type: [ServerLogItem] })
  items: ServerLogItem[];
  @ApiProperty({ description: 'The position asked for is no longer kept: lines are missing before the first item.' })
  truncated: boolean;
  @ApiProperty({ type: String, nullable: true, description: 'Given back as `after` for what comes next.' })
  nextCursor: string | null;
}
