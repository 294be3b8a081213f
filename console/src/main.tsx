import { StrictMode, useEffect } from 'react';
import { createRoot } from 'react-dom/client';
import { QueryClient, QueryClientProvider, useQueryClient } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { ApiError, whenSignedOut } from './api/client';
import { SessionContext, useSessionQuery } from './api/session';
import { router } from './router';
import { SignIn } from './shell/sign-in';
import { ErrorNote } from './ui/basics';
import { Toasts } from './ui/toast';
import './styles.css';

const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      retry: (failures, error) =>
        failures < 2 && error instanceof ApiError && (error.status === 0 || error.status >= 502),
    },
  },
});

function App() {
  const { data: session, error, isPending, refetch } = useSessionQuery();
  const queries = useQueryClient();
  useEffect(() => whenSignedOut(() => queries.setQueryData(['session'], null)), [queries]);
  if (isPending) return null;
  if (error !== null) {
    return (
      <main className="mx-auto max-w-lg px-4 py-20">
        <h1 className="mb-4 text-lg">LLM Gateway</h1>
        <ErrorNote error={error} onRetry={() => void refetch()} />
      </main>
    );
  }
  if (session === null) return <SignIn />;
  return (
    <SessionContext value={session}>
      <RouterProvider router={router} />
    </SessionContext>
  );
}

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no root');
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <App />
      <Toasts />
    </QueryClientProvider>
  </StrictMode>,
);
