import { jobsPlugin } from './features/jobs';
import { notificationsPlugin } from './features/jobs/notificationsPlugin';
import { panelPlugin } from './features/panel';
import { publishPlugin } from './features/publish';
import { runningPlugin } from './features/services';

export { IMlops, IMlopsPanel } from './tokens';
export type { IJobChange, IJobTracker } from './tokens';

export default [
  jobsPlugin,
  panelPlugin,
  publishPlugin,
  runningPlugin,
  notificationsPlugin
];
