export function Logo() {
  return (
    <span className="flex items-center gap-2 font-semibold tracking-tight">
      <img src="/console/favicon.svg" alt="" width={22} height={22} />
      LLM Gateway
    </span>
  );
}
