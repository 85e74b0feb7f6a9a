import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { WorkshopItem } from './workshop-item.entity.js';

/** What is in a collection of an overlay. */
@Entity('workshop_memberships')
export class WorkshopMembership {
  @PrimaryColumn('integer')
  collectionId: number;

  @ManyToOne(() => WorkshopItem, { onDelete: 'CASCADE', nullable: false })
  @JoinColumn()
  collection: Relation<WorkshopItem>;

  @Index('workshop_memberships_member')
  @PrimaryColumn('integer')
  memberId: number;

  @ManyToOne(() => WorkshopItem, { onDelete: 'CASCADE', nullable: false })
  @JoinColumn()
  member: Relation<WorkshopItem>;

  /** Its place in the collection. */
  @Column('integer')
  position: number;
}
