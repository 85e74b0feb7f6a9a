import { Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { Blueprint } from '../blueprints/blueprint.entity.js';
import { Secret } from './secret.entity.js';

/** A secret that a blueprint's texts use. */
@Entity('blueprint_secrets')
export class BlueprintSecret {
  @PrimaryColumn('integer')
  blueprintId: number;

  @ManyToOne(() => Blueprint, { onDelete: 'CASCADE', nullable: false })
  @JoinColumn()
  blueprint: Relation<Blueprint>;

  @Index('blueprint_secrets_secret')
  @PrimaryColumn('integer')
  secretId: number;

  @ManyToOne(() => Secret, { onDelete: 'RESTRICT', nullable: false })
  @JoinColumn()
  secret: Relation<Secret>;
}
