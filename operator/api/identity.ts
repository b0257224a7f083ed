/** Who sends a request, as the API server's TokenReview tells it. */
export type Identity = {
  readonly username: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
  /** The namespace of a service account; absent for people. */
  readonly namespace?: string;
  /** The pod a service account's token is bound to. */
  readonly podName?: string;
  readonly podUid?: string;
  /** Set for a token that was made for one run: it may track that run and nothing else. */
  readonly run?: { readonly runId: string; readonly experiment: string };
};

/** `status.user` of a TokenReview. */
export type ReviewedUser = {
  readonly username?: string;
  readonly uid?: string;
  readonly groups?: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
};

const POD_NAME = 'authentication.kubernetes.io/pod-name';
const POD_UID = 'authentication.kubernetes.io/pod-uid';
const SERVICE_ACCOUNT = /^system:serviceaccount:([^:]+):[^:]+$/;

export const identityOf = (user: ReviewedUser): Identity => {
  const username = user.username ?? '';
  const extra = user.extra ?? {};
  const namespace = SERVICE_ACCOUNT.exec(username)?.[1];
  const podName = extra[POD_NAME]?.[0];
  const podUid = extra[POD_UID]?.[0];
  return {
    username,
    uid: user.uid ?? '',
    groups: user.groups ?? [],
    extra,
    ...(namespace === undefined ? {} : { namespace }),
    ...(podName === undefined ? {} : { podName }),
    ...(podUid === undefined ? {} : { podUid }),
  };
};
