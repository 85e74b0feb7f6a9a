import { ApiProperty, ApiPropertyOptional, IntersectionType } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { EntryView, FilePath, FolderPageQuery, FolderPath, FolderView } from '../files/folder.dto.js';
import { MayBeLeftOut } from '../problems/fields.js';
import { IsId } from '../problems/id.js';

class RevisionQuery {
  @ApiPropertyOptional({ type: Number, description: 'The number of a revision; without it, the draft.' })
  @MayBeLeftOut()
  @Type(() => Number)
  @IsId()
  revision?: number;
}

/** `?path=&revision=&limit=&cursor=` of a folder. */
export class FolderQuery extends IntersectionType(FolderPageQuery, RevisionQuery) {}

/** `?path=&revision=` of a folder to download. */
export class ArchiveQuery extends IntersectionType(FolderPath, RevisionQuery) {}

/** `?path=&revision=` of a file to read. */
export class ReadQuery extends IntersectionType(FilePath, RevisionQuery) {}

export class WrittenView extends EntryView {
  @ApiProperty({ description: 'For If-Match, as in the header of this name.' })
  etag: string;
}

export class EntryList extends FolderView {
  @ApiProperty({ type: [EntryView] })
  items: EntryView[];
}
