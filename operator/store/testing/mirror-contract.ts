import { beforeAll, describe, expect, test } from '@jest/globals';
import { type Change, foldChanges } from '../fold-changes.ts';
import type { MirrorRows } from '../mirror-rows.ts';
import { resourceState } from '../resource-state.ts';
import { InvalidQuery, type ResourceQuery, type ResourceSearch } from '../search.ts';
import { type ObjectParts, anObject, readyStatus, wrote } from './objects.ts';

const AT = '2026-02-01T12:00:00.000Z';

export type MirrorTables = { readonly rows: MirrorRows; readonly search: ResourceSearch };

/** What is written through the mirror's rows can be read through the search, in both adapters. */
export const describeMirrorTables = (name: string, make: () => Promise<MirrorTables>): void => {
  describe(`${name} keeps the contract of the mirror's tables`, () => {
    let tables: MirrorTables;

    const write = (...parts: readonly (ObjectParts & { readonly gone?: boolean })[]) => {
      const changes = parts.map(({ gone, ...part }): Change => ({
        type: gone ? 'delete' : 'upsert',
        gap: false,
        state: resourceState(anObject(part), AT),
      }));
      const uids = [...new Set(changes.map(({ state }) => state.row.uid))];
      return tables.rows.update(uids, (stored) => foldChanges(stored, changes));
    };
    const find = async (query: Partial<ResourceQuery>): Promise<readonly string[]> => {
      const { items } = await tables.search.search({ namespaces: ['find'], ...query });
      return items.map((row) => row.name);
    };

    beforeAll(async () => {
      tables = await make();
      const common = { namespace: 'find', labels: { team: 'vision' } };
      await write(
        {
          ...common,
          name: 'digits',
          spec: { owner: 'ann@example.com', size: 3, list: [{ a: 'b' }] },
        },
        {
          ...common,
          name: 'digits-1.0.0',
          kind: 'ModelVersion',
          spec: { modelRef: { name: 'digits' } },
        },
        {
          ...common,
          name: 'faces',
          labels: { team: 'faces', tier: 'gold' },
          status: readyStatus('True'),
        },
        {
          ...common,
          name: 'broken',
          kind: 'Experiment',
          status: readyStatus('False', 'QuotaExceeded', 'exceeded quota: tiny'),
        },
        { ...common, name: 'gone' },
        { ...common, name: 'digits', namespace: 'elsewhere' },
      );
      await write({ ...common, name: 'gone', gone: true });
    });

    test('an object comes back as it was seen', async () => {
      const object = {
        ...{ namespace: 'whole', name: 'digits', version: 7, generation: 3 },
        labels: { a: 'b' },
        annotations: { 'x/y': 'z' },
        spec: { text: 'ünïcode "quoted" \\ \u0000', list: [1, 2.5, null, true], nested: {} },
        status: readyStatus('False', 'NoQuota', 'say why'),
      };
      await write(object);
      expect(await tables.search.get('Model', 'whole', 'digits')).toEqual({
        uid: 'uid-whole-digits',
        kind: 'Model',
        namespace: 'whole',
        name: 'digits',
        generation: 3,
        resourceVersion: '7',
        labels: { a: 'b' },
        annotations: { 'x/y': 'z' },
        spec: { text: 'ünïcode "quoted" \\ \ufffd', list: [1, 2.5, null, true], nested: {} },
        status: object.status,
        ready: 'False',
        reason: 'NoQuota',
        message: 'say why',
        createdAt: expect.stringMatching(/^2026-01-01T00:00:00(\.000)?Z$/),
        updatedAt: AT,
      });
      const [state] = await tables.rows.states(['uid-whole-digits']);
      expect(state).toEqual({ ...resourceState(anObject(object), AT), row: expect.anything() });
      expect(await tables.rows.states([])).toEqual([]);
    });

    test('the same change twice is written once', async () => {
      const change = { namespace: 'twice', version: 5 };
      expect(await write(change)).toBe(2);
      expect(await write(change)).toBe(0);
      const query = { kind: 'Model', namespace: 'twice', name: 'digits' };
      expect((await tables.search.history(query)).items).toHaveLength(1);
    });

    test('what is known of a kind are its living objects, in all namespaces or one', async () => {
      await write(
        { kind: 'Known', namespace: 'k1', version: 4 },
        { kind: 'Known', namespace: 'k2' },
        { kind: 'Known', namespace: 'k1', name: 'gone' },
      );
      await write({ kind: 'Known', namespace: 'k1', name: 'gone', gone: true });
      const inOne = [{ uid: 'uid-k1-digits', resourceVersion: '4' }];
      expect(await tables.rows.known('Known', 'k1')).toEqual(inOne);
      expect(await tables.rows.known('Known', undefined)).toHaveLength(2);
      expect(await tables.rows.known('Nothing', undefined)).toEqual([]);
    });

    test('nothing is written when judging fails', async () => {
      await expect(
        tables.rows.update(['uid-find-digits'], () => {
          throw new Error('no');
        }),
      ).rejects.toThrow('no');
      expect(await find({ namePrefix: 'digits' })).toEqual(['digits', 'digits-1.0.0']);
    });

    test.each<[string, Partial<ResourceQuery>, readonly string[]]>([
      ['a namespace', {}, ['broken', 'digits', 'digits-1.0.0', 'faces']],
      ['no namespace', { namespaces: [] }, []],
      ['kinds', { kinds: ['ModelVersion', 'Experiment'] }, ['broken', 'digits-1.0.0']],
      ['no kind', { kinds: [] }, []],
      ['a prefix', { namePrefix: 'digits' }, ['digits', 'digits-1.0.0']],
      ['a prefix with signs SQL knows', { namePrefix: 'd%' }, []],
      ['labels', { labels: { team: 'faces', tier: 'gold' } }, ['faces']],
      ['labels that differ', { labels: { team: 'faces', tier: 'tin' } }, []],
      ['readiness', { ready: 'True' }, ['faces']],
      ['a reason', { reason: 'QuotaExceeded' }, ['broken']],
      ['a field', { fields: { 'spec.modelRef.name': 'digits' } }, ['digits-1.0.0']],
      ['a number as text', { fields: { 'spec.size': '3' } }, ['digits']],
      ['a field in a list', { fields: { 'spec.list[0].a': 'b' } }, ['digits']],
      ['a field beyond the list', { fields: { 'spec.list[1].a': 'b' } }, []],
      ['words of a message', { q: 'exceeded quota' }, ['broken']],
      ['a word of the name', { q: 'FACES' }, ['faces']],
      ['words of nothing', { q: 'exceeded nothing' }, []],
      [
        'everything at once',
        { q: 'gold', kinds: ['Model'], ready: 'True', namePrefix: 'f' },
        ['faces'],
      ],
      ['the deleted too', { includeDeleted: true, namePrefix: 'g' }, ['gone']],
      [
        'descending',
        { sort: { by: 'name', direction: 'desc' }, kinds: ['Model'] },
        ['faces', 'digits'],
      ],
    ])('search by %s', async (_what, query, want) => {
      expect(await find(query)).toEqual(want);
    });

    test.each([
      "'; drop table resources; --",
      "' or '1'='1",
      '$1',
      '{{"a"}}',
      "\\'; select pg_sleep(9)",
      '"a" & | ! ( ) <-> :*',
    ])('search takes %j for nothing but text', async (hostile) => {
      for (const query of [
        { q: hostile },
        { namePrefix: hostile },
        { reason: hostile },
        { kinds: [hostile] },
        { namespaces: [hostile] },
        { labels: { [hostile]: hostile } },
        { fields: { 'spec.owner': hostile } },
      ])
        expect(await find(query)).toEqual([]);
      await expect(find({ fields: { [`spec.${hostile}`]: 'x' } })).rejects.toThrow(InvalidQuery);
      await expect(find({ cursor: hostile })).rejects.toThrow(InvalidQuery);
      expect(await tables.search.get('Model', 'find', hostile)).toBeUndefined();
    });

    test.each<[ResourceQuery['sort']]>([
      [undefined],
      [{ by: 'name', direction: 'desc' }],
      [{ by: 'createdAt', direction: 'asc' }],
      [{ by: 'createdAt', direction: 'desc' }],
      [{ by: 'updatedAt', direction: 'asc' }],
    ])('pages sorted by %j show everything once', async (sort) => {
      const names = Array.from({ length: 7 }, (_, index) => `page-${index % 4}-${index}`);
      await write(
        ...names.map((name, index) => ({
          ...{ namespace: 'pages', name },
          createdAt: `2026-01-0${1 + (index % 3)}T00:00:00Z`,
        })),
      );
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await tables.search.search({
          ...{ namespaces: ['pages'], limit: 3 },
          ...(sort && { sort }),
          ...(cursor !== undefined && { cursor }),
        });
        seen.push(...page.items.map(({ name }) => name));
        cursor = page.nextCursor;
      } while (cursor !== undefined);
      expect([...seen].sort()).toEqual([...names].sort());
      if (!sort) expect(seen).toEqual([...names].sort());
      expect((await tables.search.search({ namespaces: ['pages'], limit: 7 })).nextCursor).toBe(
        undefined,
      );
    });

    test('the history of a name is newest first, in pages, of all its lives or one', async () => {
      const digits = {
        namespace: 'history',
        annotations: { 'mlops.pynomaly.io/requested-by': 'ann' },
      };
      const api = [wrote('mlops-api', '2026-02-01T11:00:00Z')];
      await write({ ...digits, uid: 'first', writers: api });
      await write({ ...digits, uid: 'first', version: 2, spec: { a: 1 }, writers: api });
      await write({ ...digits, uid: 'first', version: 2, gone: true });
      await write({ ...digits, uid: 'second', version: 3 });
      const query = { kind: 'Model', namespace: 'history', name: 'digits' };
      const all = (await tables.search.history(query)).items;
      expect(all.map(({ uid, operation }) => `${uid} ${operation}`)).toEqual([
        'second created',
        'first deleted',
        'first updated',
        'first created',
      ]);
      expect(all[3]).toMatchObject({ requestedBy: 'ann', fieldManager: 'mlops-api', gap: false });
      expect(all[2]?.beforeHash).toBe(all[3]?.afterHash);
      expect(all[0]).not.toHaveProperty('requestedBy');
      const one = await tables.search.history({ ...query, uid: 'first', limit: 2 });
      expect(one.items.map(({ operation }) => operation)).toEqual(['deleted', 'updated']);
      const cursor = one.nextCursor ?? '';
      const rest = await tables.search.history({ ...query, uid: 'first', limit: 2, cursor });
      expect(rest.items.map(({ operation }) => operation)).toEqual(['created']);
      expect(rest.nextCursor).toBeUndefined();
    });
  });
};
