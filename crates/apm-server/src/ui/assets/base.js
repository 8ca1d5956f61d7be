// The path before that of every page, with a slash at its end: this file is /assets/VERSION/base.js below it.
export const base = new URL("../../", import.meta.url).pathname;
