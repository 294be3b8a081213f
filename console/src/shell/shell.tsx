import { useEffect, useState } from 'react';
import { Link, Outlet, useRouterState } from '@tanstack/react-router';
import { LogOut, Menu, Monitor, Moon, Search, Sun, X } from 'lucide-react';
import { useSession, useSignOut } from '../api/session';
import { Button } from '../ui/basics';
import { notifyError } from '../ui/toast';
import { Logo } from './logo';
import { pagesOf } from './pages';
import { Palette } from './palette';
import { chooseTheme, themeChoice, useTheme, type ThemeChoice } from './theme';

const isMac = navigator.platform.startsWith('Mac');
const NEXT: Record<ThemeChoice, ThemeChoice> = { system: 'light', light: 'dark', dark: 'system' };
const ROLE_NAMES = { admin: 'Admin', viewer: 'Viewer: reads, changes nothing', member: 'Member' };
const THEME_ICONS = { system: Monitor, light: Sun, dark: Moon };

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}

/** Navigation, commands and keys of every page. */
export function Shell() {
  const session = useSession();
  const isAdmin = session.role === 'admin';
  const groups = pagesOf(session);
  const [isPaletteOpen, setPaletteOpen] = useState(false);
  const [isMenuOpen, setMenuOpen] = useState(false);
  const path = useRouterState({ select: (state) => state.location.pathname });

  useEffect(() => setMenuOpen(false), [path]);
  useEffect(() => {
    const page = groups.flatMap(({ pages }) => pages).find((each) => each.path === path);
    document.title = page === undefined ? 'LLM Gateway' : `${page.title} · LLM Gateway`;
  }, [groups, path]);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key.toLowerCase() === 'k' && (event.metaKey || event.ctrlKey)) {
        event.preventDefault();
        setPaletteOpen((isOpen) => !isOpen);
      } else if (event.key === '/' && !isTyping(event.target) && !event.metaKey && !event.ctrlKey) {
        const filter = document.querySelector<HTMLInputElement>('[data-filter]');
        if (filter === null) return;
        event.preventDefault();
        filter.focus();
        filter.select();
      }
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);

  return (
    <div className="min-h-dvh lg:grid lg:grid-cols-[15rem_minmax(0,1fr)]">
      <a
        href="#main"
        className="fixed top-2 left-2 z-40 -translate-y-16 rounded-md bg-accent px-3 py-1.5 font-medium text-on-accent focus:translate-y-0"
      >
        Skip to the page
      </a>
      <header className="sticky top-0 z-20 flex h-12 items-center gap-2 border-b border-line bg-surface px-3 lg:hidden">
        <Button
          variant="ghost"
          icon={isMenuOpen ? X : Menu}
          aria-label="Navigation"
          aria-expanded={isMenuOpen}
          onClick={() => setMenuOpen(!isMenuOpen)}
        />
        <Logo />
        <Button
          variant="ghost"
          icon={Search}
          aria-label="Commands"
          className="ml-auto"
          onClick={() => setPaletteOpen(true)}
        />
      </header>
      <header
        className={`${isMenuOpen ? 'fixed inset-x-0 top-12 bottom-0 z-20 flex overflow-y-auto' : 'hidden'} flex-col border-r border-line bg-surface lg:sticky lg:top-0 lg:flex lg:h-dvh`}
      >
        <div className="hidden items-center px-4 pt-4 pb-3 lg:flex">
          <Logo />
        </div>
        <div className="hidden px-3 pb-2 lg:block">
          <button
            type="button"
            onClick={() => setPaletteOpen(true)}
            className="flex h-8 w-full items-center gap-2 rounded-md border border-line bg-bg px-2.5 text-sm text-muted hover:border-line-strong"
          >
            <Search size={14} aria-hidden />
            Find
            <kbd className="ml-auto font-sans text-xs">{isMac ? '⌘K' : 'Ctrl K'}</kbd>
          </button>
        </div>
        <nav aria-label="Pages" className="flex-1 overflow-y-auto px-3 py-1">
          {groups.map(({ title, pages }) => (
            <div key={title} className="mb-3">
              <p className="px-2 py-1 text-xs font-medium text-muted">{title}</p>
              <ul className="space-y-px">
                {pages.map(({ path: to, title: name, icon: Glyph }) => (
                  <li key={to}>
                    <Link
                      to={to}
                      activeOptions={{ exact: true, includeSearch: false }}
                      className="flex h-8 items-center gap-2.5 rounded-md px-2 text-sm font-medium text-muted transition-colors hover:bg-raised hover:text-text aria-[current=page]:bg-raised aria-[current=page]:text-text"
                    >
                      <Glyph size={16} strokeWidth={1.8} aria-hidden />
                      {name}
                    </Link>
                  </li>
                ))}
              </ul>
            </div>
          ))}
        </nav>
        <Account />
      </header>
      <main
        id="main"
        tabIndex={-1}
        className="mx-auto w-full max-w-[84rem] min-w-0 px-4 py-5 outline-none sm:px-6 sm:py-7"
      >
        <Outlet />
      </main>
      {isPaletteOpen && <Palette groups={groups} isAdmin={isAdmin} onClose={() => setPaletteOpen(false)} />}
    </div>
  );
}

function Account() {
  const session = useSession();
  const signOut = useSignOut();
  useTheme();
  const choice = themeChoice();
  return (
    <div className="flex items-center gap-1 border-t border-line px-3 py-2.5">
      <div className="min-w-0 flex-1 px-2">
        <p className="truncate text-sm font-medium">{session.key_id === 'admin' ? 'Administrator' : session.name}</p>
        <p className="text-xs text-muted">{ROLE_NAMES[session.role]}</p>
      </div>
      <Button
        variant="ghost"
        icon={THEME_ICONS[choice]}
        aria-label={`Theme: ${choice}. Change it`}
        title={`Theme: ${choice}`}
        onClick={() => chooseTheme(NEXT[choice])}
      />
      <Button
        variant="ghost"
        icon={LogOut}
        aria-label="Sign out"
        title="Sign out"
        onClick={() => void signOut().catch(notifyError)}
      />
    </div>
  );
}
