import { Controller, Get, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { DataSource } from 'typeorm';
import { ChecksServer, Me, type Principal, Scoped } from '../auth/access.js';
import { RunningSettings } from '../config/settings.js';
import { lastEventId, streamLog } from '../logs/log-response.js';
import { PageOf } from '../openapi/page-of.js';
import { type Page, page } from '../paging/page.js';
import { Gone } from '../problems/gone.js';
import { IdPipe, parseId } from '../problems/id.js';
import { Conflict, NotFound } from '../problems/problems.js';
import { JobAccess, viewer, visibleJobs } from './job-access.js';
import { JobEnds } from './job-ends.js';
import { JobViews } from './job-views.js';
import { JobListQuery, JobLogPage, JobLogQuery, JobView, WaitQuery } from './job.dto.js';
import { Jobs } from './jobs.service.js';
import type { LogItem } from './log/job-lines.js';
import { JobLog } from './log/job-log.js';

const format = { position: (item: LogItem) => String(item.seq), line: (item: LogItem) => item.line };

/** Jobs: reading, waiting, cancelling, and their logs. They are queued at what they are for. */
@ApiTags('jobs')
@Controller('jobs')
export class JobsController {
  constructor(
    private readonly database: DataSource,
    private readonly jobs: Jobs,
    private readonly access: JobAccess,
    private readonly views: JobViews,
    private readonly log: JobLog,
    private readonly ends: JobEnds,
    private readonly settings: RunningSettings,
  ) {}

  /** Jobs, newest first. */
  @Get()
  @ApiOperation({ summary: 'List jobs' })
  @Scoped('read')
  @ApiOkResponse({ type: PageOf(JobView) })
  async list(@Me() me: Principal, @Query() query: JobListQuery): Promise<Page<JobView>> {
    const serverId = parseId(query.serverId ?? '');
    const hostId = parseId(query.hostId ?? '');
    if (query.serverId !== undefined && serverId === null && query.hostId === undefined) {
      await this.requireOneServer(me, query.serverId);
    }
    const rows = await this.database.query<{ id: number }[]>(
      `SELECT id FROM jobs WHERE ${visibleJobs} AND ($4::text[] IS NULL OR state = ANY ($4))
         AND ($5::int IS NULL OR server_id = $5)
         AND ($9::text IS NULL OR server_id IN (SELECT servers.id FROM servers WHERE servers.name = $9)
           OR (server_id IS NULL AND server_name = $9))
         AND ($6::int IS NULL OR overlay_id = $6) AND ($7::int IS NULL OR id < $7)
         AND ($10::int IS NULL OR host_id = $10)
         AND ($11::text IS NULL OR host_id IN (SELECT hosts.id FROM hosts WHERE hosts.name = $11))
       ORDER BY id DESC LIMIT $8`,
      [
        ...viewer(me),
        query.state ?? null,
        serverId,
        query.overlayId ?? null,
        query.cursor ?? null,
        query.limit + 1,
        serverId === null ? (query.serverId ?? null) : null,
        hostId,
        hostId === null ? (query.hostId ?? null) : null,
      ],
    );
    const { items, nextCursor } = page(rows, query.limit);
    return {
      items: await this.views.byIds(
        me,
        items.map((row) => row.id),
      ),
      nextCursor,
    };
  }

  /** Names are unique per host: without `hostId` one may mean several servers. */
  private async requireOneServer(me: Principal, name: string): Promise<void> {
    const servers = await this.database.query<unknown[]>(
      `SELECT DISTINCT server_id FROM jobs
       WHERE ${visibleJobs} AND server_id IN (SELECT servers.id FROM servers WHERE servers.name = $4) LIMIT 2`,
      [...viewer(me), name],
    );
    if (servers.length > 1) throw new Conflict(`More than one server is named ${name}: use its id, or add hostId.`);
  }

  /** A job. With `wait` the answer comes when the job has ended or the time is up. */
  @Get(':id')
  @ApiOperation({ summary: 'Read a job, or wait for its end' })
  @Scoped('read')
  @ApiOkResponse({ type: JobView })
  async get(
    @Me() me: Principal,
    @Param('id', new IdPipe('job')) id: number,
    @Query() query: WaitQuery,
    @Gone() gone: AbortSignal,
  ): Promise<JobView> {
    await this.access.find(me, id);
    if (query.wait > 0) await this.ends.wait(id, query.wait * 1000, gone);
    return this.view(me, id);
  }

  /**
   * Cancels a job: at once when it is queued; a running one is `cancelling` until its commands are gone. While the worker of its host
   * is away, which `waitsFor` says then, that takes effect when it is back. 409 when the job has ended.
   */
  @Post(':id/cancel')
  @ApiOperation({ summary: 'Cancel a job' })
  @HttpCode(202)
  @Scoped('operate')
  @ChecksServer()
  @ApiAcceptedResponse({ type: JobView })
  async cancel(@Me() me: Principal, @Param('id', new IdPipe('job')) id: number): Promise<JobView> {
    const job = await this.access.find(me, id);
    await this.access.assertMayCancel(me, job);
    await this.jobs.cancel(job, me.user.id);
    return this.view(me, id);
  }

  /**
   * A job's log, oldest first. `follow=true` streams it to the job's end: NDJSON (`Accept: application/x-ndjson`), SSE
   * (`text/event-stream`), or plain text. NDJSON and SSE close with `end {state, exitCode}`; without it the connection broke: ask
   * again with `after`.
   */
  @Get(':id/logs')
  @ApiOperation({ summary: "Read or follow a job's log" })
  @Scoped('read')
  @ApiOkResponse({ type: JobLogPage })
  @ApiProduces('application/json', 'application/x-ndjson', 'text/event-stream', 'text/plain')
  async logs(
    @Me() me: Principal,
    @Param('id', new IdPipe('job')) id: number,
    @Query() query: JobLogQuery,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    await this.access.find(me, id);
    const after = parseId(lastEventId(request) ?? '') ?? query.after;
    if (query.follow === 'true') {
      return streamLog(request, response, format, (signal) => this.log.follow(id, after, signal));
    }
    const limit = query.limit ?? this.settings.jobLogReplayLimit;
    const items = await this.log.read(id, after, limit);
    const last = items.at(-1)?.seq;
    const nextCursor = items.length === limit && last !== undefined ? String(last) : null;
    response.json({ items, nextCursor } satisfies JobLogPage);
  }

  private async view(me: Principal, id: number): Promise<JobView> {
    const [view] = await this.views.byIds(me, [id]);
    if (!view) throw new NotFound(`job ${id}`);
    return view;
  }
}
