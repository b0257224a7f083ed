import { SYSTEM_NAMESPACE } from '../../demo/install.ts';
import { kubectl } from './kubectl.ts';

/** The rows of a query of one column, as the bundled PostgreSQL's own administrator sees them. */
export const queryDatabase = async (sql: string): Promise<readonly string[]> => {
  const psql = 'psql -U "$POSTGRES_USER" -d "$POSTGRES_DB" -At';
  const pod = 'statefulset/mlops-operator-postgresql';
  const text = await kubectl(
    ['exec', '-i', '-n', SYSTEM_NAMESPACE, pod, '--', 'sh', '-c', psql],
    sql,
  );
  return text.split('\n').filter((line) => line !== '');
};
