/** What the page and its service worker call the same things. */

/** Caches of ours begin with it; then comes the build. */
export const CACHES = "roomful-";
/** The lock that a page holds as long as it lives begins with it; then comes the path of the file that it runs. */
export const RUNNING = "roomful-runs ";
