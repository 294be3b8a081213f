import { lazy, type ComponentType } from 'react';
import { createRootRoute, createRoute, createRouter, Link } from '@tanstack/react-router';
import { Compass } from 'lucide-react';
import { useSession } from './api/session';
import { Shell } from './shell/shell';
import { Empty, ErrorNote, SkeletonRows } from './ui/basics';

/** A page whose code is loaded when it is opened, or when the pointer is on a link to it. */
function onDemand(load: () => Promise<ComponentType>) {
  const component = lazy(() => load().then((loaded) => ({ default: loaded })));
  return Object.assign(component, { preload: () => load().then(() => undefined) });
}

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

const Overview = onDemand(() => import('./pages/overview').then(({ Overview }) => Overview));
const OwnKey = onDemand(() => import('./pages/own-key').then(({ OwnKey }) => OwnKey));
const OwnKeys = onDemand(() => import('./pages/own-keys').then(({ OwnKeys }) => OwnKeys));
function Home() {
  const { role, user } = useSession();
  if (role !== 'member') return <Overview />;
  return user === null ? <OwnKey /> : <OwnKeys />;
}

const page = (path: string, component: Parameters<typeof createRoute>[0]['component']) =>
  createRoute({ getParentRoute: () => root, path, component });

const tree = root.addChildren([
  page('/', Home),
  page(
    '/requests',
    onDemand(() => import('./pages/requests').then(({ Requests }) => Requests)),
  ),
  page(
    '/requests/session',
    onDemand(() => import('./pages/session').then(({ SessionPage }) => SessionPage)),
  ),
  page(
    '/usage',
    onDemand(() => import('./pages/usage').then(({ Usage }) => Usage)),
  ),
  page(
    '/batches',
    onDemand(() => import('./pages/batches').then(({ Batches }) => Batches)),
  ),
  page(
    '/start',
    onDemand(() => import('./pages/start').then(({ Start }) => Start)),
  ),
  page(
    '/playground',
    onDemand(() => import('./pages/playground').then(({ Playground }) => Playground)),
  ),
  page(
    '/keys',
    onDemand(() => import('./pages/keys').then(({ Keys }) => Keys)),
  ),
  page(
    '/groups',
    onDemand(() => import('./pages/groups').then(({ Groups }) => Groups)),
  ),
  page(
    '/models',
    onDemand(() => import('./pages/models').then(({ Models }) => Models)),
  ),
  page(
    '/audit',
    onDemand(() => import('./pages/audit').then(({ Audit }) => Audit)),
  ),
  page(
    '/configuration',
    onDemand(() => import('./pages/configuration').then(({ Configuration }) => Configuration)),
  ),
  page(
    '/settings',
    onDemand(() => import('./pages/settings').then(({ Settings }) => Settings)),
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
