/** A version as it is served; while it is loaded, one object stands for it. */
export type ModelIdentity = { readonly model: string; readonly version: string };

export const idOf = ({ model, version }: ModelIdentity): string => `${model}\n${version}`;
