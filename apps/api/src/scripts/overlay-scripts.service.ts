import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Principal } from '../auth/access.js';
import type { Overlay } from '../overlays/overlay.entity.js';
import { Overlays } from '../overlays/overlays.service.js';
import { Conflict, Invalid, NotFound } from '../problems/problems.js';
import { UserPlaces } from '../problems/user-places.js';
import { Announcements } from '../redis/announcements.js';
import { syntaxErrors } from './bash-syntax.js';
import { OverlayScript } from './overlay-script.entity.js';
import { SCRIPT_LIMIT, type ScriptBody, type ScriptView } from './script.dto.js';

/** Each may take 256 MiB of memory. */
const CHECKS = 2;

/** The scripts of script overlays: whoever sees the overlay reads its script, whoever may change it writes it. */
@Injectable()
export class OverlayScripts {
  /** Tests wait less. */
  checks = new UserPlaces(CHECKS, `checking ${CHECKS} scripts, or another one of yours`);

  constructor(
    private readonly database: DataSource,
    private readonly overlays: Overlays,
    private readonly announcements: Announcements,
  ) {}

  async read(me: Principal, id: number): Promise<ScriptView> {
    requireScript(await this.overlays.get(me, id));
    return view(await this.text(id));
  }

  /**
   * @throws Invalid with the line that bash does not understand; Conflict when the script was changed meanwhile; Unavailable when there
   * was no place for long
   */
  async write(me: Principal, id: number, { script, basedOn }: ScriptBody, gone: AbortSignal): Promise<ScriptView> {
    requireScript(await this.overlays.getToChange(me, id));
    const text = script.replaceAll('\r\n', '\n');
    refuseInvalid(text);
    await this.checks.hold(me.user.id, () => refuseBadSyntax(text), gone);
    const changed = await this.database.transaction(async (manager) => {
      // Locked: a second writer waits, and then sees this one's text.
      const [row] = await manager.query<unknown[]>(`SELECT id FROM overlays WHERE id = $1 FOR UPDATE`, [id]);
      if (row === undefined) throw new NotFound(`overlay ${id}`);
      const scripts = manager.getRepository(OverlayScript);
      const before = await scripts.findOneBy({ overlayId: id });
      if (before?.text === text) return false;
      if (basedOn !== undefined && basedOn !== hashOf(before?.text ?? '')) {
        throw new Conflict(
          'Somebody else has changed the script since you read it. Copy your text, then load it again.',
        );
      }
      await scripts.upsert({ overlayId: id, text }, ['overlayId']);
      // The database's clock, as for the builds it is compared with.
      await manager.query(`UPDATE overlays SET draft_changed_at = clock_timestamp() WHERE id = $1`, [id]);
      return true;
    });
    if (changed) this.announcements.publish({ topic: 'overlay', id });
    return view(text);
  }

  private async text(overlayId: number): Promise<string> {
    return (await this.database.getRepository(OverlayScript).findOneBy({ overlayId }))?.text ?? '';
  }
}

function requireScript({ name, kind }: Overlay): void {
  if (kind !== 'script') throw new Conflict(`${name} has no script: its files come from elsewhere (${kind}).`);
}

function refuseInvalid(text: string): void {
  const refuse = (message: string): never => {
    throw new Invalid([{ path: 'script', message }]);
  };
  if (text.trim() === '') refuse('is empty');
  const bytes = Buffer.byteLength(text);
  if (bytes > SCRIPT_LIMIT) refuse(`has ${bytes} bytes, and may have ${SCRIPT_LIMIT}`);
  if (text.includes('\0')) refuse('must not contain NUL characters');
}

async function refuseBadSyntax(text: string): Promise<void> {
  const errors = await syntaxErrors(text);
  if (errors.length > 0) throw new Invalid(errors.map((message) => ({ path: 'script', message })));
}

function view(script: string): ScriptView {
  return { script, hash: hashOf(script) };
}

function hashOf(script: string): string {
  return createHash('sha256').update(script).digest('hex');
}
