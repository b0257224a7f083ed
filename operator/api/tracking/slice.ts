import { MlflowError } from './mlflow-error.ts';

export type Slice<T> = {
  readonly items: readonly T[];
  readonly next: { readonly next_page_token?: string };
};

/** A page of a list that is at hand; its token is the place where the page starts. */
export const slice = <T>(all: readonly T[], token: string | undefined, limit: number): Slice<T> => {
  if (token && !/^\d{1,9}$/.test(token)) {
    throw new MlflowError('INVALID_PARAMETER_VALUE', 'The page_token is not one of this search.');
  }
  const start = token ? Number(token) : 0;
  const end = start + limit;
  return {
    items: all.slice(start, end),
    next: end < all.length ? { next_page_token: String(end) } : {},
  };
};
