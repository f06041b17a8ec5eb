/** By what the guests can be sorted, as it stands in the address. */
export const SORT_KEYS = [
  'trouble',
  'name',
  'vcpus',
  'cpus',
  'waited',
  'memory',
  'claim',
  'swapped',
  'write',
  'network',
] as const;

export type SortKey = (typeof SORT_KEYS)[number];

/** Which guests are to be shown, and in which order. */
export interface GuestListRequest {
  readonly sort: SortKey;
  readonly descending: boolean;
  /** In a name or a state, whatever the case; empty: all. */
  readonly filter: string;
}

export const DEFAULT_LIST: GuestListRequest = { sort: 'trouble', descending: true, filter: '' };

/** Longer is no name anybody looks for. */
const LONGEST_FILTER = 200;

/** What a query string asks for; whatever it has that is not known counts as not asked. */
export function parseListRequest(query: URLSearchParams): GuestListRequest {
  const asked = query.get('sort');
  const sort = SORT_KEYS.find((key) => key === asked) ?? DEFAULT_LIST.sort;
  const order = query.get('order');
  return {
    sort,
    descending: order === 'asc' ? false : order === 'desc' ? true : sort !== 'name',
    filter: (query.get('q') ?? '').slice(0, LONGEST_FILTER).trim(),
  };
}

/** The query string that asks for it, with its `?`; empty for what is shown without one. */
export function listQuery({ sort, descending, filter }: GuestListRequest): string {
  const query = new URLSearchParams();
  if (filter !== '') query.set('q', filter.toWellFormed());
  if (sort !== DEFAULT_LIST.sort || !descending) {
    query.set('sort', sort);
    query.set('order', descending ? 'desc' : 'asc');
  }
  return query.size === 0 ? '' : `?${query.toString()}`;
}
