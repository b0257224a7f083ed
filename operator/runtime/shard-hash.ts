/** FNV-1a over UTF-16 units, with murmur3's finalizer, so that similar names land far apart. 32 bits. */
const hash = (text: string): number => {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++)
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
};

/** The shard of a namespace, from 0 to `count` - 1; the same in every replica and version. */
export const shardOf = (namespace: string, count: number): number =>
  count <= 1 ? 0 : hash(namespace) % count;

/**
 * Which shards each member should hold: by rendezvous hashing (Thaler and Ravishankar 1998), with
 * room for no more than its even share in each member, so that loads differ by one at most and few
 * shards move when a member comes or goes. The same in every replica that knows the same members.
 */
export const assigned = (
  count: number,
  members: readonly string[],
): ReadonlyMap<string, ReadonlySet<number>> => {
  const held = new Map(members.map((member) => [member, new Set<number>()]));
  if (members.length === 0) return held;
  const share = Math.floor(count / members.length);
  let extras = count % members.length;
  for (let shard = 0; shard < count; shard++) {
    const ranked = [...held].toSorted(
      ([a], [b]) => hash(`${shard} ${b}`) - hash(`${shard} ${a}`) || (a < b ? -1 : 1),
    );
    const room = share + (extras > 0 ? 1 : 0);
    const [, chosen] = ranked.find(([, shards]) => shards.size < room) ?? [];
    if (chosen === undefined) continue;
    chosen.add(shard);
    if (chosen.size > share) extras -= 1;
  }
  return held;
};
