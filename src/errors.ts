import type { IJob, IProblem } from './models';

/** An answer of the server extension that says what is wrong. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly problems: IProblem[],
    /** The job that is in the way, when the server answers 409. */
    readonly job: IJob | null = null
  ) {
    super(problems.map(problem => problem.problem).join('\n'));
    this.name = 'ApiError';
  }
}

/** Make a problem of one sentence, with an optional remedy. */
export function problemOf(problem: string, remedy = '', why = ''): IProblem {
  return { problem, why, remedy, where: '' };
}

/** Return what to show for anything that was thrown. */
export function problemsOf(reason: unknown): IProblem[] {
  if (reason instanceof ApiError) {
    return reason.problems;
  }
  return [problemOf(reason instanceof Error ? reason.message : String(reason))];
}
