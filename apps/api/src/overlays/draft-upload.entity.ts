import { Check, Column, Entity, Index, JoinColumn, ManyToOne, PrimaryGeneratedColumn, type Relation } from 'typeorm';
import { User } from '../users/user.entity.js';
import { Overlay } from './overlay.entity.js';

/** An upload that comes in pieces. How much has come is the size of its file (`drafts/.tmp/upload-<id>`). Kept for a day after the last piece. */
@Entity('draft_uploads')
@Check('draft_uploads_place', `("path" IS NULL) = ("target" IS NOT NULL) AND ("target" IS NULL) = ("mode" IS NULL)`)
export class DraftUpload {
  @PrimaryGeneratedColumn('identity')
  id: number;

  @Index('draft_uploads_overlay')
  @Column('integer')
  overlayId: number;

  @ManyToOne(() => Overlay, { onDelete: 'CASCADE', nullable: false })
  @JoinColumn()
  overlay: Relation<Overlay>;

  @Index('draft_uploads_user')
  @Column('integer')
  userId: number;

  @ManyToOne(() => User, { onDelete: 'CASCADE', nullable: false })
  @JoinColumn()
  user: Relation<User>;

  /** Of a file: where it goes. */
  @Column('text', { nullable: true })
  path: string | null;

  /** Of an archive: the folder it is unpacked into. */
  @Column('text', { nullable: true })
  target: string | null;

  /** Of an archive: what becomes of that folder's other files. */
  @Column('text', { nullable: true })
  mode: 'merge' | 'replace' | null;

  /** Bytes, once it is whole. */
  @Column('bigint')
  size: string;

  /** The file as its sender has it, who can tell by that whether another day's is the same. */
  @Column('jsonb', { nullable: true })
  source: { name: string; modifiedAt: string } | null;

  /** When it is in the draft: what was answered. */
  @Column('jsonb', { nullable: true })
  result: object | null;

  @Column('timestamptz', { default: () => 'now()' })
  touchedAt: Date;
}
