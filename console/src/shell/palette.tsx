import { useEffect, useRef, useState } from 'react';
import { useNavigate } from '@tanstack/react-router';
import { CornerDownLeft, LogOut, Moon, Plus, Search, Sun } from 'lucide-react';
import { useSignOut } from '../api/session';
import type { Icon } from '../ui/basics';
import type { ADMIN_PAGES } from './pages';
import { chooseTheme } from './theme';

interface Command {
  readonly title: string;
  readonly icon: Icon;
  readonly words: string;
  readonly run: () => void;
}

interface PaletteProps {
  readonly groups: typeof ADMIN_PAGES;
  readonly isAdmin: boolean;
  readonly onClose: () => void;
}

/** Finds pages and actions by a part of their name. */
export function Palette({ groups, isAdmin, onClose }: PaletteProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const list = useRef<HTMLUListElement>(null);
  const [text, setText] = useState('');
  const [active, setActive] = useState(0);
  const navigate = useNavigate();
  const signOut = useSignOut();
  const go = (to: string, search: Record<string, string> = {}) => void navigate({ to, search });

  const commands: Command[] = [
    ...groups.flatMap(({ pages }) =>
      pages.map(({ path, title, icon, words }) => ({ title, icon, words, run: () => go(path) })),
    ),
    ...(isAdmin
      ? [{ title: 'Create a key', icon: Plus, words: 'new api', run: () => go('/keys', { create: 'yes' }) }]
      : []),
    { title: 'Use the light theme', icon: Sun, words: 'appearance', run: () => chooseTheme('light') },
    { title: 'Use the dark theme', icon: Moon, words: 'appearance', run: () => chooseTheme('dark') },
    { title: 'Sign out', icon: LogOut, words: 'leave end session', run: () => void signOut() },
  ];
  const wanted = text.trim().toLowerCase();
  const mayFind = groups.some(({ pages }) => pages.some(({ path }) => path === '/requests'));
  if (mayFind && wanted.length > 5 && !wanted.includes(' ')) {
    const id = text.trim();
    commands.unshift({
      title: `Find request ${id}`,
      icon: Search,
      words: wanted,
      run: () => go('/requests', { request_id: id }),
    });
  }
  const found = commands.filter(({ title, words }) => `${title} ${words}`.toLowerCase().includes(wanted));
  const chosen = Math.min(active, found.length - 1);

  useEffect(() => {
    const element = dialog.current;
    const before = document.activeElement;
    element?.showModal();
    return () => {
      element?.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  useEffect(() => {
    list.current?.children[chosen]?.scrollIntoView({ block: 'nearest' });
  }, [chosen]);

  const run = (command: Command | undefined): void => {
    if (command === undefined) return;
    onClose();
    command.run();
  };
  return (
    <dialog
      ref={dialog}
      aria-label="Commands"
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === dialog.current) onClose();
      }}
      className="mx-auto mt-[12vh] mb-auto w-[min(34rem,calc(100vw-2rem))] animate-[appear_.12s_ease-out] overflow-hidden rounded-xl border border-line bg-surface p-0 shadow-over"
    >
      <div className="flex items-center gap-2.5 border-b border-line px-4">
        <Search size={16} aria-hidden className="text-muted" />
        <input
          autoFocus
          role="combobox"
          aria-expanded
          aria-controls="commands"
          aria-activedescendant={found.length > 0 ? `command-${chosen}` : undefined}
          aria-label="Find a page or an action"
          placeholder="Find a page, an action or a request id"
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setActive(0);
          }}
          onKeyDown={(event) => {
            if (event.key === 'ArrowDown') setActive((chosen + 1) % Math.max(1, found.length));
            else if (event.key === 'ArrowUp') setActive((chosen - 1 + found.length) % Math.max(1, found.length));
            else if (event.key === 'Enter') run(found[chosen]);
            else return;
            event.preventDefault();
          }}
          className="h-12 w-full bg-transparent outline-none placeholder:text-muted"
        />
      </div>
      <ul id="commands" ref={list} role="listbox" aria-label="Commands" className="max-h-80 overflow-y-auto p-1.5">
        {found.map((command, index) => {
          const Glyph = command.icon;
          return (
            <li
              key={command.title}
              id={`command-${index}`}
              role="option"
              aria-selected={index === chosen}
              onMouseMove={() => setActive(index)}
              onClick={() => run(command)}
              className={`flex cursor-pointer items-center gap-3 rounded-md px-2.5 py-2 ${index === chosen ? 'bg-raised' : ''}`}
            >
              <Glyph size={16} strokeWidth={1.8} aria-hidden className="shrink-0 text-muted" />
              <span className="truncate">{command.title}</span>
              {index === chosen && <CornerDownLeft size={14} aria-hidden className="ml-auto text-muted" />}
            </li>
          );
        })}
      </ul>
      {found.length === 0 && <p className="px-4 pb-5 text-center text-muted">Nothing has this name.</p>}
    </dialog>
  );
}
