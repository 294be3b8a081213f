import { type SubmitEvent, useState } from 'react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { LogIn } from 'lucide-react';
import { api, ApiError, bodyOf } from '../api/client';
import { signIn } from '../api/session';
import { Button, Field, Input } from '../ui/basics';
import { Logo } from './logo';

/** What went wrong on the way from the identity provider, by `sign_in_error` of the address. */
const FAULTS: Readonly<Record<string, string>> = {
  denied: 'The identity provider did not sign you in.',
  expired: 'This sign-in took too long, or began in another browser. Begin again.',
  no_role: 'You are signed in there, but no role of this gateway is yours. Ask an administrator.',
  claims: 'The identity provider does not say who you are in the way this gateway needs. Ask an administrator.',
  provider: 'The identity provider cannot be reached, or its response is not valid. Ask an administrator.',
};

function redirectFault(): string | undefined {
  const query = new URLSearchParams(location.search);
  const code = query.get('sign_in_error');
  if (code === null) return undefined;
  return `${FAULTS[code] ?? 'The sign-in failed.'} (${query.get('request_id') ?? 'no id'})`;
}

export function SignIn() {
  const methods = useQuery({
    queryKey: ['sign-in-methods'],
    staleTime: Infinity,
    queryFn: () => bodyOf(api.GET('/v1/session/methods')),
  });
  const [fault] = useState(redirectFault);
  const [key, setKey] = useState('');
  const client = useQueryClient();
  const { mutate, isPending, error } = useMutation({
    mutationFn: signIn,
    onSuccess: (session) => client.setQueryData(['session'], session),
  });
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    mutate(key.trim());
  };
  const requestId = error instanceof ApiError ? error.requestId : null;
  return (
    <main className="grid min-h-dvh place-items-center px-4 py-10">
      <div className="w-full max-w-sm">
        <div className="mb-6 flex justify-center text-lg">
          <Logo />
        </div>
        <div className="card p-6">
          <h1 className="text-lg">Sign in</h1>
          <p className="mt-1 mb-5 text-muted">
            Paste a key of this gateway. An admin key opens all of the console, any other key its own limits and usage.
          </p>
          {fault !== undefined && (
            <p role="alert" className="mb-4 rounded-lg bg-bad-soft px-3 py-2 text-bad">
              {fault}
            </p>
          )}
          {methods.data?.oidc === true && (
            <>
              <a
                href="/v1/session/oidc"
                className="flex h-10 w-full items-center justify-center gap-2 rounded-md bg-accent font-medium text-on-accent transition-colors hover:bg-accent-strong"
              >
                <LogIn size={16} aria-hidden />
                Sign in with your organisation
              </a>
              <p className="my-4 flex items-center gap-3 text-xs text-muted before:h-px before:flex-1 before:bg-line after:h-px after:flex-1 after:bg-line">
                or with a key
              </p>
            </>
          )}
          <form onSubmit={submit} className="space-y-4">
            <Field
              label="Key"
              hint="The admin key was printed at the first start of the gateway, unless GATEWAY_ADMIN_KEY is set."
              error={error === null ? undefined : `${error.message}${requestId === null ? '' : ` (${requestId})`}`}
            >
              {(id, describedBy) => (
                <Input
                  id={id}
                  aria-describedby={describedBy}
                  aria-invalid={error !== null}
                  type="password"
                  autoComplete="off"
                  spellCheck={false}
                  autoFocus
                  required
                  value={key}
                  onChange={(event) => setKey(event.target.value)}
                  className="h-10 font-mono"
                />
              )}
            </Field>
            <Button
              type="submit"
              variant={methods.data?.oidc === true ? 'plain' : 'primary'}
              busy={isPending}
              className="h-10 w-full"
            >
              {isPending ? 'Signing in' : 'Sign in'}
            </Button>
          </form>
        </div>
        <p className="mt-4 text-center text-xs text-muted">
          API documentation is at{' '}
          <a className="underline underline-offset-2" href="/docs">
            /docs
          </a>
          .
        </p>
      </div>
    </main>
  );
}
