/** The ids of the commands, as the schemas and other extensions use them. */
export namespace CommandIDs {
  export const openPanel = 'mlops:open-panel';
  export const publishNotebook = 'mlops:publish-notebook';
  export const runPublication = 'mlops:run-publication';
  export const servePublication = 'mlops:serve-publication';
  export const cancelJob = 'mlops:cancel-job';
  export const stopService = 'mlops:stop-service';
}
