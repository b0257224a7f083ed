/** 63 characters of a name, less what is appended for revisions and variants. */
export const DEPLOYMENT_NAME_MAX = 45;
