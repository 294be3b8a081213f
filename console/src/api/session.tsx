import { createContext, useContext } from 'react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { api, ApiError, bodyOf, setCsrfToken, type Schemas } from './client';

export type Session = Schemas['OwnSession'];

export const SessionContext = createContext<Session | null>(null);

/** Who is signed in. Only below the sign-in page. */
export function useSession(): Session {
  const session = useContext(SessionContext);
  if (session === null) throw new Error('no session');
  return session;
}

/** Whether the person may change anything, as a viewer may not. */
export function useCanChange(): boolean {
  return useContext(SessionContext)?.role !== 'viewer';
}

/** The session of this browser; null where nobody is signed in. */
export function useSessionQuery() {
  return useQuery({
    queryKey: ['session'],
    staleTime: Infinity,
    retry: false,
    queryFn: async () => {
      try {
        const session = await bodyOf(api.GET('/v1/session'));
        setCsrfToken(session.csrf_token);
        return session;
      } catch (error) {
        if (error instanceof ApiError && (error.status === 401 || error.status === 404)) return null;
        throw error;
      }
    },
  });
}

export async function signIn(key: string): Promise<Session> {
  const session = await bodyOf(api.POST('/v1/session', { body: { key } }));
  setCsrfToken(session.csrf_token);
  return session;
}

export function useSignOut(): () => Promise<void> {
  const client = useQueryClient();
  return async () => {
    const { end_session_url: elsewhere } = await bodyOf(api.DELETE('/v1/session'));
    client.clear();
    // The sign-in at the identity provider ends as well; it leads back here.
    if (elsewhere !== null) location.assign(elsewhere);
    else client.setQueryData(['session'], null);
  };
}
