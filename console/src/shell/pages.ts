import {
  Activity,
  BookOpenCheck,
  Boxes,
  ChartColumn,
  FileCode2,
  FileSliders,
  KeyRound,
  LayoutDashboard,
  Layers,
  MessagesSquare,
  ScrollText,
  UserRound,
  Users,
} from 'lucide-react';
import type { Session } from '../api/session';
import type { Icon } from '../ui/basics';

export interface PageLink {
  readonly path: string;
  readonly title: string;
  readonly icon: Icon;
  readonly words: string;
}

/** The pages of an administrator, in the order of the navigation. */
export const ADMIN_PAGES: readonly { readonly title: string; readonly pages: readonly PageLink[] }[] = [
  {
    title: 'Observe',
    pages: [
      { path: '/', title: 'Overview', icon: LayoutDashboard, words: 'dashboard health errors spend' },
      { path: '/requests', title: 'Requests', icon: Activity, words: 'log records traffic search id' },
      { path: '/usage', title: 'Usage and cost', icon: ChartColumn, words: 'spend report csv forecast tokens' },
      { path: '/batches', title: 'Batches', icon: Layers, words: 'jobs queue progress' },
    ],
  },
  {
    title: 'Use',
    pages: [
      { path: '/start', title: 'First run', icon: BookOpenCheck, words: 'setup snippets client quick start' },
      { path: '/playground', title: 'Playground', icon: MessagesSquare, words: 'chat try stream compare' },
    ],
  },
  {
    title: 'Manage',
    pages: [
      { path: '/keys', title: 'Keys', icon: KeyRound, words: 'api key budget limit rotate revoke create' },
      { path: '/groups', title: 'Groups', icon: Users, words: 'team budget' },
      {
        path: '/models',
        title: 'Models and providers',
        icon: Boxes,
        words: 'deployments price catalogue test breaker',
      },
      { path: '/configuration', title: 'Configuration', icon: FileCode2, words: 'gateway.yaml settings defaults' },
      { path: '/audit', title: 'Audit', icon: ScrollText, words: 'who changed what history' },
      { path: '/settings', title: 'Gateway and sessions', icon: FileSliders, words: 'instances sign out theme' },
    ],
  },
];

/** Those of a viewer, who calls no models. */
export const VIEWER_PAGES: typeof ADMIN_PAGES = ADMIN_PAGES.filter(({ title }) => title !== 'Use');

/** Those of a member who signed in with a key. */
export const MEMBER_PAGES: typeof ADMIN_PAGES = [
  {
    title: 'Your key',
    pages: [
      { path: '/', title: 'Your key', icon: UserRound, words: 'budget limits usage' },
      { path: '/requests', title: 'Requests', icon: Activity, words: 'log records' },
      { path: '/playground', title: 'Playground', icon: MessagesSquare, words: 'chat try' },
      { path: '/start', title: 'Connect a client', icon: BookOpenCheck, words: 'snippets' },
    ],
  },
];

/** Those of a member who signed in by OpenID Connect, and calls models with the keys that they own. */
export const OWNER_PAGES: typeof ADMIN_PAGES = [
  {
    title: 'Your keys',
    pages: [
      { path: '/', title: 'Your keys', icon: KeyRound, words: 'budget limits usage' },
      { path: '/requests', title: 'Requests', icon: Activity, words: 'log records' },
    ],
  },
];

/** The pages of a person or key. */
export function pagesOf({ role, user }: Pick<Session, 'role' | 'user'>): typeof ADMIN_PAGES {
  if (role === 'admin') return ADMIN_PAGES;
  if (role === 'viewer') return VIEWER_PAGES;
  return user === null ? MEMBER_PAGES : OWNER_PAGES;
}
