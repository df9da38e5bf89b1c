import type { IJobEvent } from '../../models';
import { aJob, events } from '../../testing/fakes';
import { fractionDone } from './progressView';
import { LOG_LINES, applyEvent, viewOf } from './state';

const story = (...list: Parameters<typeof events>) =>
  events(...list).reduce(
    applyEvent,
    viewOf(aJob({ state: 'queued', started: null }))
  );

describe('the state of a job', () => {
  it('knows its stages and how far the current one is', () => {
    const view = story(
      { type: 'state', state: 'running' },
      { type: 'stage', name: 'read', state: 'finished', seconds: 0.1 },
      { type: 'stage', name: 'run', state: 'started' },
      { type: 'progress', stage: 'run', done: 2, total: 4, unit: 'cells' }
    );
    expect(view.stages.map(stage => stage.state)).toEqual([
      'finished',
      'started'
    ]);
    expect(view.progress).toMatchObject({ done: 2, total: 4, label: '' });
    expect(view.job.started).toBe('2026-01-01T01:00:00.000Z');
    expect(fractionDone(view)).toBeCloseTo(1.5 / 9);
  });

  it('has no progress once the stage or the job ended', () => {
    const progress = {
      type: 'progress',
      stage: 'run',
      done: 2,
      total: 4,
      unit: 'cells'
    };
    const stage = { type: 'stage', name: 'run', state: 'finished' };
    expect(story(progress, stage).progress).toBeNull();
    const state = { type: 'state', state: 'failed' };
    expect(story(progress, state).progress).toBeNull();
  });

  it('keeps the problems and the result', () => {
    const problem = { problem: 'a', why: '', remedy: 'b', where: 'c' };
    const view = story(
      { type: 'problem', ...problem },
      { type: 'problem', ...problem },
      { type: 'result', value: { reference: 'r' } },
      { type: 'state', state: 'succeeded' }
    );
    expect(view.job.problems).toEqual([problem]);
    expect(view.job.result).toEqual({ reference: 'r' });
    expect(view.job.ended).toBe('2026-01-01T01:00:03.000Z');
  });

  it('keeps the end of a long log', () => {
    const lines = Array.from({ length: LOG_LINES + 5 }, (_, index) => ({
      type: 'log',
      level: 'info',
      text: `line ${index}`
    }));
    const { log } = story(...lines);
    expect(log).toHaveLength(LOG_LINES);
    expect(log[0].text).toBe('line 5');
  });

  it('counts an event that it does not know', () => {
    const strange = { seq: 1, time: '', type: 'strange' };
    const view = applyEvent(viewOf(aJob()), strange as unknown as IJobEvent);
    expect(view.seq).toBe(1);
  });
});
