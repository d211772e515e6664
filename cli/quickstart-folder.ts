/** Where the sessions of the quickstart are kept, apart from those of its user. */
export const FOLDER = ".atlas/quickstart";
