import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Link } from '@tanstack/react-router';
import { Compass } from 'lucide-react';
import { useSession } from './api/session';
import { Shell } from './shell/shell';
import { Empty, ErrorNote, SkeletonRows } from './ui/basics';

type Search = Readonly<Record<string, string | undefined>>;

/** Filters are texts; anything else in an address is left out. */
function texts(search: Record<string, unknown>): Search {
  return Object.fromEntries(
    Object.entries(search)
      .map(
        ([name, value]) =>
          [name, typeof value === 'number' || typeof value === 'boolean' ? String(value) : value] as const,
      )
      .filter((entry): entry is [string, string] => typeof entry[1] === 'string' && entry[1] !== ''),
  );
}

const root = createRootRoute({
  component: Shell,
  validateSearch: texts,
  notFoundComponent: () => (
    <Empty
      icon={Compass}
      title="There is no such page"
      action={
        <Link to="/" className="text-accent underline">
          Go to the start
        </Link>
      }
    />
  ),
});

const Overview = lazyRouteComponent(() => import('./pages/overview'), 'Overview');
const OwnKey = lazyRouteComponent(() => import('./pages/own-key'), 'OwnKey');
function Home() {
  return useSession().role === 'admin' ? <Overview /> : <OwnKey />;
}

const page = (path: string, component: Parameters<typeof createRoute>[0]['component']) =>
  createRoute({ getParentRoute: () => root, path, component });

const tree = root.addChildren([
  page('/', Home),
  page(
    '/requests',
    lazyRouteComponent(() => import('./pages/requests'), 'Requests'),
  ),
  page(
    '/usage',
    lazyRouteComponent(() => import('./pages/usage'), 'Usage'),
  ),
  page(
    '/batches',
    lazyRouteComponent(() => import('./pages/batches'), 'Batches'),
  ),
  page(
    '/start',
    lazyRouteComponent(() => import('./pages/start'), 'Start'),
  ),
  page(
    '/playground',
    lazyRouteComponent(() => import('./pages/playground'), 'Playground'),
  ),
  page(
    '/keys',
    lazyRouteComponent(() => import('./pages/keys'), 'Keys'),
  ),
  page(
    '/groups',
    lazyRouteComponent(() => import('./pages/groups'), 'Groups'),
  ),
  page(
    '/models',
    lazyRouteComponent(() => import('./pages/models'), 'Models'),
  ),
  page(
    '/audit',
    lazyRouteComponent(() => import('./pages/audit'), 'Audit'),
  ),
  page(
    '/settings',
    lazyRouteComponent(() => import('./pages/settings'), 'Settings'),
  ),
]);

export const router = createRouter({
  routeTree: tree,
  basepath: '/console',
  defaultPreload: 'intent',
  scrollRestoration: true,
  defaultPendingMs: 150,
  defaultPendingComponent: () => <SkeletonRows />,
  defaultErrorComponent: ({ error, reset }) => <ErrorNote error={error} onRetry={reset} />,
});
