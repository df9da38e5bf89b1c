import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ApiError, problemOf } from './errors';
import type { IJob, IProblem } from './models';

const NAMESPACE = 'jupyter-mlops';

/** What every call needs: the server to talk to and the language to complain in. */
export interface IRequestOptions {
  serverSettings: ServerConnection.ISettings;
  trans: TranslationBundle;
}

/**
 * Call the server extension and return the JSON it answers (null for an empty answer).
 *
 * @throws ApiError with every problem the server names, or with one that says
 * what to do when it cannot be reached or is not installed.
 */
export async function requestAPI<T>(
  endPoint: string,
  options: IRequestOptions,
  init: RequestInit = {}
): Promise<T> {
  const { serverSettings, trans } = options;
  const url = URLExt.join(serverSettings.baseUrl, NAMESPACE, endPoint);

  let response: Response;
  try {
    response = await ServerConnection.makeRequest(url, init, serverSettings);
  } catch {
    throw new ApiError(0, [
      problemOf(
        trans.__('The Jupyter server cannot be reached.'),
        trans.__('Check that it is running, then try again.')
      )
    ]);
  }

  const body = parse(await response.text());
  if (response.ok) {
    return body as T;
  }
  const { problems, job } = (body ?? {}) as {
    problems?: IProblem[];
    job?: IJob;
  };
  throw new ApiError(
    response.status,
    problems?.length ? problems : [unexplained(response, trans)],
    job ?? null
  );
}

/** Say what an answer without problems means: it is not from our handlers. */
function unexplained(response: Response, trans: TranslationBundle): IProblem {
  switch (response.status) {
    case 404:
      return problemOf(
        trans.__('The jupyter_mlops server extension does not answer.'),
        trans.__(
          'Install it where the Jupyter server runs with "pip install jupyter_mlops", then restart the server.'
        )
      );
    case 401:
    case 403:
      return problemOf(
        trans.__('You are not allowed to do this on this Jupyter server.'),
        trans.__('Log in again, or ask whoever runs it.')
      );
    default:
      return problemOf(
        trans.__(
          'The Jupyter server answered %1 %2.',
          response.status,
          response.statusText
        ),
        trans.__("The server's log says more.")
      );
  }
}

function parse(text: string): unknown {
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    return null;
  }
}
