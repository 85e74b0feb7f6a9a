import { ApiProperty } from '@nestjs/swagger';

export const fileSources = ['panel', 'overlay', 'blueprint'] as const;
export type FileSource = (typeof fileSources)[number];

export class PreviewOverlayView {
  @ApiProperty()
  overlayId: number;

  @ApiProperty()
  name: string;

  @ApiProperty({ type: Number, nullable: true, description: 'The revision it would get; null: none is published.' })
  revision: number | null;
}

export class PreviewFileView {
  @ApiProperty()
  path: string;

  @ApiProperty({ enum: fileSources })
  source: FileSource;

  @ApiProperty({ type: String, nullable: true, description: 'The overlay whose server.cfg it is.' })
  overlayName: string | null;

  @ApiProperty({ description: 'As it would be written, but with *** for each secret and for the RCON password.' })
  content: string;
}

/** Everything that an initialize of this moment would make. */
export class PreviewView {
  @ApiProperty({ description: 'The server it is made for; a sample when there is none.' })
  serverName: string;

  @ApiProperty({ type: String, nullable: true, description: 'The build of the game; null: none is installed.' })
  build: string | null;

  @ApiProperty({ type: [PreviewOverlayView], description: 'The first one wins.' })
  overlays: PreviewOverlayView[];

  @ApiProperty({ type: [String], description: 'The command line, beginning with the program.' })
  command: string[];

  @ApiProperty({ type: [PreviewFileView], description: 'The generated layer, above all overlays.' })
  files: PreviewFileView[];

  @ApiProperty({ type: [String], description: 'What the server does not see.' })
  hide: string[];

  @ApiProperty({
    type: [String],
    description: 'Sentences: what an initialize would fail for, and what would have no effect.',
  })
  warnings: string[];
}
