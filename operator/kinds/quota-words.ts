/** Whether the API server's words are those of a ResourceQuota or a LimitRange. */
export const isQuota = (words: string): boolean =>
  /exceeded quota|failed quota|must specify (limits|requests)|(maximum|minimum) (cpu|memory|ephemeral-storage|storage) usage per|limit to request ratio/i.test(
    words,
  );
