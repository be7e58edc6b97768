/** What this worker was built with: the list is filled in while building (vite.worker.config.ts). */
declare const ROOMFUL_BUILD: { id: string; files: string[] };

export const { id, files } = ROOMFUL_BUILD;
