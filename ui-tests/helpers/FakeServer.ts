import type { Page, Route, WebSocketRoute } from '@playwright/test';
import type {
  IEnvironmentReport,
  IJob,
  IJobEvent,
  IPick,
  IService
} from '../../src/models';
import { ANALYSIS, PUBLICATIONS } from './answers';

/** What the REST interface knows; the folder of the front end has the same name. */
const NOUNS =
  /\/jupyter-mlops\/(analysis|captures|draft|environment|jobs|publications|services)/;

const SCHEMA = 'https://schema.jupyter.org/jupyter_mlops/job/v1';

/** An event as a test writes it: its number and time are added. */
export type NewEvent = Record<string, unknown> & { type: string };

/**
 * Answers in the place of the server extension, so that the states of the panel
 * that are rare or slow can be looked at. It keeps the REST and event contract.
 */
export class FakeServer {
  readonly jobs: IJob[] = [];
  readonly requests: { kind: string; request: Record<string, unknown> }[] = [];
  services: IService[] = [];
  captures: IPick = { names: [], live: false, note: '' };
  analysis: Record<string, unknown> = ANALYSIS;
  environment: IEnvironmentReport | null = null;
  /** The answer to the next POST of a job, when it is not to start. */
  refusal: { status: number; body: unknown } | null = null;

  /** Stand in for the server; call it before the page loads. */
  static async start(page: Page): Promise<FakeServer> {
    const server = new FakeServer();
    await page.route(NOUNS, route => server._answer(route));
    await page.routeWebSocket(/\/api\/events\/subscribe/, socket => {
      server._sockets.push(socket);
    });
    return server;
  }

  /** Let a job say something: it is kept, and put on the event bus. */
  say(job: IJob, ...events: NewEvent[]): void {
    for (const event of this.keep(job, ...events)) {
      const data = { job: job.id, kind: job.kind, state: job.state, event };
      const text = JSON.stringify({ schema_id: SCHEMA, ...data });
      this._sockets.forEach(socket => socket.send(text));
    }
  }

  /** Keep what a job says, without putting it on the event bus. */
  keep(job: IJob, ...events: NewEvent[]): IJobEvent[] {
    return events.map(event => {
      const told = this._events.get(job.id) ?? [];
      const full = {
        ...event,
        seq: told.length + 1,
        time: new Date(Date.UTC(2026, 0, 5, 9, 0, told.length)).toISOString()
      };
      this._events.set(job.id, [...told, full as unknown as IJobEvent]);
      this._note(job, event, full.time);
      return full as unknown as IJobEvent;
    });
  }

  private _note(job: IJob, event: NewEvent, time: string): void {
    if (event.type === 'state') {
      job.state = event.state as IJob['state'];
      job.started ??= time;
      job.ended = ['queued', 'running'].includes(job.state) ? null : time;
    } else if (event.type === 'result') {
      job.result = event.value as IJob['result'];
    } else if (event.type === 'problem') {
      const { problem, why, remedy, where } = event;
      job.problems.push({ problem, why, remedy, where } as never);
    }
  }

  private async _answer(route: Route): Promise<void> {
    const url = new URL(route.request().url());
    const [noun, id, part] = url.pathname
      .replace(/^.*\/jupyter-mlops\//, '')
      .split('/');
    const method = route.request().method();
    if (noun === 'jobs' && method === 'POST') {
      return this._start(route);
    }
    if (method === 'DELETE') {
      this.services = this.services.filter(service => service.id !== id);
      return route.fulfill({ status: 204 });
    }
    const job = this.jobs.find(({ id: known }) => known === id);
    const answers: Record<string, unknown> = {
      analysis: this.analysis,
      captures: this.captures,
      draft: { ...this.analysis, unreadable: [] },
      environment: this.environment,
      jobs: part
        ? { [part]: part === 'log' ? 'the log' : (this._events.get(id) ?? []) }
        : (job ?? { jobs: this.jobs }),
      publications: PUBLICATIONS,
      services: { services: this.services }
    };
    return route.fulfill({ json: answers[noun] });
  }

  private _start(route: Route): Promise<void> {
    const { kind, request } = route.request().postDataJSON();
    this.requests.push({ kind, request });
    if (this.refusal) {
      const { status, body } = this.refusal;
      this.refusal = null;
      return route.fulfill({ status, json: body });
    }
    const name = (request.reference ?? request.path).split('/').pop();
    const job: IJob = {
      id: `job-${this.jobs.length + 1}`,
      kind,
      title: `${kind[0].toUpperCase()}${kind.slice(1)} ${name}`,
      state: 'queued',
      request,
      created: `2026-01-05T09:00:0${this.jobs.length}Z`,
      started: null,
      ended: null,
      result: null,
      problems: []
    };
    this.jobs.unshift(job);
    return route.fulfill({ status: 202, json: job });
  }

  private readonly _events = new Map<string, IJobEvent[]>();
  private readonly _sockets: WebSocketRoute[] = [];
}
