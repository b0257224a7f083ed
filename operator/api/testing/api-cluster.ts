import { MemoryCluster } from '../../runtime/memory-cluster.ts';
import type { KubernetesObject, ResourceType } from '../../runtime/resource-type.ts';
import type { Action } from '../access.ts';
import type { ReviewedUser } from '../identity.ts';

export type TokenRule = {
  readonly user: ReviewedUser;
  /** Audiences the token was made for; none means the API server's own. */
  readonly audiences: readonly string[];
};

type Review = KubernetesObject & {
  readonly spec: {
    readonly token?: string;
    readonly audiences?: readonly string[];
    readonly user?: string;
    readonly resourceAttributes?: Partial<Action>;
  };
};

/** A cluster in memory that also knows tokens and permissions, and counts the reviews asked of it. */
export class ApiCluster extends MemoryCluster {
  readonly tokens = new Map<string, TokenRule>();
  /** Whether a user may do something; tests replace it. */
  allows: (user: string, action: Partial<Action>) => boolean = () => false;
  tokenReviews = 0;
  accessReviews = 0;
  /** Thrown by the next calls instead of an answer. */
  failure: Error | undefined;

  override async create<T extends KubernetesObject>(
    type: ResourceType,
    object: KubernetesObject,
    options: { readonly fieldManager: string },
  ): Promise<T> {
    if (this.failure !== undefined) throw this.failure;
    const review = object as Review;
    if (type.kind === 'TokenReview') return this.#reviewToken(review) as unknown as T;
    if (type.kind === 'SubjectAccessReview') return this.#reviewAccess(review) as unknown as T;
    return super.create<T>(type, object, options);
  }

  #reviewToken(review: Review): object {
    this.tokenReviews++;
    const rule = this.tokens.get(review.spec.token ?? '');
    const wanted = review.spec.audiences ?? ['https://kubernetes.default.svc'];
    const meant =
      rule?.audiences.length === 0 ? ['https://kubernetes.default.svc'] : rule?.audiences;
    const audiences = wanted.filter((each) => meant?.includes(each));
    const status =
      rule === undefined || audiences.length === 0
        ? { authenticated: false }
        : { authenticated: true, user: rule.user, audiences };
    return { ...review, status };
  }

  #reviewAccess(review: Review): object {
    this.accessReviews++;
    const { user = '', resourceAttributes = {} } = review.spec;
    return { ...review, status: { allowed: this.allows(user, resourceAttributes) } };
  }
}
