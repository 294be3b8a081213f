import { type SubmitEvent, useState } from 'react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { ApiError } from '../api/client';
import { signIn } from '../api/session';
import { Button, Field, Input } from '../ui/basics';
import { Logo } from './logo';

export function SignIn() {
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
            <Button type="submit" variant="primary" busy={isPending} className="h-10 w-full">
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
