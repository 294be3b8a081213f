/** What each template of a chart gives, by its name. */
export function renderChart(chart: string, values?: object, release?: string): Map<string, string>;
