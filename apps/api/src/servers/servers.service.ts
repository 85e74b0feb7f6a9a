import { Injectable } from '@nestjs/common';
import { Brackets, DataSource, type EntityManager, Not, type SelectQueryBuilder } from 'typeorm';
import type { Principal } from '../auth/access.js';
import { Blueprint } from '../blueprints/blueprint.entity.js';
import { RunningSettings } from '../config/settings.js';
import { violates } from '../database/violations.js';
import { HostRow } from '../hosts/host.entity.js';
import { Jobs } from '../jobs/jobs.service.js';
import { type Page, page, type PageQuery } from '../paging/page.js';
import { parseId } from '../problems/id.js';
import { Conflict, Invalid, NotFound } from '../problems/problems.js';
import { Announcements } from '../redis/announcements.js';
import { portsInUse } from './ports-in-use.js';
import { nextFreePort } from './ports.js';
import { RconPasswords } from './rcon-password.js';
import { seesServer } from './server-access.js';
import type { CreateServerBody, UpdateServerBody } from './server.dto.js';
import { Server } from './server.entity.js';

/** Any constant: with a host's id, the lock under which a free port is chosen. */
const PORT_LOCK = 4_222_861;
const PORT_ATTEMPTS = 10;

/** What a server is to be; `port` undefined: whichever is free. */
interface Wanted {
  id?: number;
  hostId: number;
  name: string;
  port: number | undefined;
}

/** Servers are their owner's; admins see and change all. What happens on the host is the jobs' business. */
@Injectable()
export class Servers {
  constructor(
    private readonly database: DataSource,
    private readonly settings: RunningSettings,
    private readonly passwords: RconPasswords,
    private readonly jobs: Jobs,
    private readonly announcements: Announcements,
  ) {}

  async list(me: Principal, query: PageQuery): Promise<Page<Server>> {
    const rows = this.visible(me)
      .orderBy('server.id', 'DESC')
      .take(query.limit + 1);
    if (query.cursor !== undefined) rows.andWhere('server.id < :cursor', { cursor: query.cursor });
    return page(await rows.getMany(), query.limit);
  }

  /**
   * @param reference an id, or a name
   * @throws NotFound also for somebody else's; Conflict when several hosts have a server of that name
   */
  async get(me: Principal, reference: string): Promise<Server> {
    const id = parseId(reference);
    const rows = this.visible(me);
    if (id !== null) rows.andWhere('server.id = :id', { id });
    else rows.andWhere('server.name = :name', { name: reference });
    // PostgreSQL refuses to look for a text with NUL.
    const [server, another] = reference.includes('\0') ? [] : await rows.take(2).getMany();
    if (!server) throw new NotFound(`server ${reference.slice(0, 64)}`);
    if (another) throw new Conflict(`More than one server is named ${reference}: use its id.`);
    return server;
  }

  async create(me: Principal, body: CreateServerBody): Promise<Server> {
    const { name, port, blueprintId } = body;
    const hostId = await this.hostFor(body.hostId);
    const busy = port === undefined ? await this.busyPorts(hostId) : [];
    const server = await this.write(me, { hostId, name, port }, async (manager) => {
      await this.requireHost(hostId, manager);
      await this.requireBlueprint(me, blueprintId, manager);
      const servers = manager.getRepository(Server);
      const made = servers.create({
        name,
        title: body.title ?? name,
        port: port ?? (await this.freePort(manager, hostId, busy)),
        hostId,
        blueprintId,
        ownerId: me.user.id,
        rconPassword: this.passwords.generate(),
      });
      await servers.insert(made);
      return servers.findOneByOrFail({ id: made.id });
    });
    this.announcements.publish({ topic: 'server', id: server.id });
    return server;
  }

  async update(me: Principal, reference: string, body: UpdateServerBody): Promise<Server> {
    const before = await this.get(me, reference);
    const { id } = before;
    const { name, title, port, blueprintId } = body;
    const hostId = body.hostId === undefined ? undefined : await this.hostFor(body.hostId);
    const wanted = { id, hostId: hostId ?? before.hostId, name: name ?? before.name, port: port ?? before.port };
    const server = await this.write(me, wanted, async (manager) => {
      const row = await this.locked(manager, id);
      if (wanted.name !== row.name || wanted.hostId !== row.hostId) {
        await this.requireGone(row, 'get another name or host', manager);
      }
      if (wanted.hostId !== row.hostId) await this.requireHost(wanted.hostId, manager);
      if (blueprintId !== undefined && blueprintId !== row.blueprintId) {
        await this.requireBlueprint(me, blueprintId, manager);
      }
      const servers = manager.getRepository(Server);
      await servers.update(id, { name, title, port, blueprintId, hostId, updatedAt: new Date() });
      return servers.findOneByOrFail({ id });
    });
    this.announcements.publish({ topic: 'server', id, ...(server.hostId !== before.hostId && { moved: true }) });
    return server;
  }

  /** @throws Conflict unless nothing of it is on its host and no job waits or runs */
  async remove(me: Principal, reference: string): Promise<void> {
    const { id } = await this.get(me, reference);
    await this.database.transaction(async (manager) => {
      const row = await this.locked(manager, id);
      await this.requireGone(row, 'be deleted', manager);
      await manager.getRepository(Server).delete(id);
    });
    this.announcements.publish({ topic: 'server', id, removed: true });
  }

  private visible(me: Principal): SelectQueryBuilder<Server> {
    const rows = this.database.getRepository(Server).createQueryBuilder('server');
    rows.where(new Brackets((where) => (me.admin ? where.where('true') : where.where({ ownerId: me.user.id }))));
    if (me.serverIds !== null) rows.andWhere('server.id = ANY (:serverIds)', { serverIds: me.serverIds });
    return rows;
  }

  /** The row, locked against jobs that are being queued: they refer to it, so they wait for the end of the transaction. */
  private async locked(manager: EntityManager, id: number): Promise<Server> {
    const row = await manager.getRepository(Server).findOne({ where: { id }, lock: { mode: 'pessimistic_write' } });
    if (!row) throw new NotFound(`server ${id}`);
    return row;
  }

  private async requireGone(server: Server, what: string, manager: EntityManager): Promise<void> {
    if (!(await this.jobs.isIdle({ serverId: server.id }, manager))) {
      throw new Conflict(`${server.name} cannot ${what} while a job of it waits or runs: wait for it, or cancel it.`);
    }
    if (server.actualState !== 'absent') {
      throw new Conflict(
        `${server.name} cannot ${what} while it is on its host (${server.actualState}): run its delete job first, which keeps what the server wrote in the trash.`,
      );
    }
  }

  /** Their own blueprint, or any for an admin. */
  private async requireBlueprint(me: Principal, id: number, manager: EntityManager): Promise<void> {
    const blueprint = await manager
      .getRepository(Blueprint)
      .findOne({ where: { id }, lock: { mode: 'for_key_share' } });
    if (!blueprint || !(me.admin || blueprint.ownerId === me.user.id)) {
      throw new Invalid([{ path: 'blueprintId', message: `there is no blueprint ${id}` }]);
    }
  }

  /** The host may have been removed since it was looked for; from now on it cannot be. */
  private async requireHost(id: number, manager: EntityManager): Promise<void> {
    const host = await manager.getRepository(HostRow).findOne({ where: { id }, lock: { mode: 'for_key_share' } });
    if (!host) throw new Invalid([{ path: 'hostId', message: `there is no host ${id}` }]);
  }

  /** @param reference an id or a name, as in the request; without it, the host this process serves */
  private async hostFor(reference: number | string | undefined): Promise<number> {
    const hosts = this.database.getRepository(HostRow);
    if (reference !== undefined) {
      const id = parseId(String(reference));
      const named = await hosts.findOneBy(id === null ? { name: String(reference) } : { id });
      if (!named) throw new Invalid([{ path: 'hostId', message: `there is no host ${reference}` }]);
      return named.id;
    }
    const host = (await hosts.findOneBy({ name: this.settings.host })) ?? (await hosts.findOneBy({ name: 'local' }));
    if (!host) throw new Conflict('There is no host yet: its worker has not come up so far.');
    return host.id;
  }

  /** What other programs use, as far as this process can see: on its own host. */
  private async busyPorts(hostId: number): Promise<number[]> {
    const here = await this.database.getRepository(HostRow).existsBy({ id: hostId, name: this.settings.host });
    return here ? portsInUse() : [];
  }

  /** The next free port; servers that are made at the same time wait for each other here. */
  private async freePort(manager: EntityManager, hostId: number, busy: readonly number[]): Promise<number> {
    await manager.query('SELECT pg_advisory_xact_lock($1, $2)', [PORT_LOCK, hostId]);
    const servers = await manager.getRepository(Server).find({ where: { hostId }, select: { id: true, port: true } });
    const port = nextFreePort([...servers.map((server) => server.port), ...busy]);
    if (port === null) throw new Conflict('Every port of this host is taken.');
    return port;
  }

  /** Runs a transaction; a taken name or port becomes a sentence, and a port that was only chosen is chosen again. */
  private async write(
    me: Principal,
    wanted: Wanted,
    work: (manager: EntityManager) => Promise<Server>,
  ): Promise<Server> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.database.transaction(work);
      } catch (error) {
        const { name, port } = wanted;
        if (violates(error, 'servers_name')) {
          const holder = await this.holder(me, wanted, { name });
          throw new Conflict(holder ? `There is a server named ${name} already.` : `The name ${name} is taken.`, {
            cause: error,
          });
        }
        if (!violates(error, 'servers_port_once')) throw error;
        // Somebody asked for just that port in the meantime.
        if (port === undefined && attempt < PORT_ATTEMPTS) continue;
        const holder = port === undefined ? null : await this.holder(me, wanted, { port });
        throw new Conflict(`Port ${port ?? ''} is taken${holder ? ` by the server ${holder.name}` : ''}.`, {
          cause: error,
        });
      }
    }
  }

  /** Who has the name or port on that host, if the caller may know. */
  private async holder(
    me: Principal,
    wanted: Wanted,
    has: { name: string } | { port: number },
  ): Promise<Server | null> {
    const { id, hostId } = wanted;
    const server = await this.database
      .getRepository(Server)
      .findOneBy({ hostId, ...has, ...(id === undefined ? {} : { id: Not(id) }) });
    return server && seesServer(me, server) ? server : null;
  }
}
