/** What a user wants to see: as the system says, or light, or dark. */
export type Wish = 'system' | 'light' | 'dark';

const kept = 'coldtrail-theme';

class Theme {
  wish = $state<Wish>(read());

  set(wish: Wish) {
    this.wish = wish;
    localStorage.setItem(kept, wish);
    this.apply();
  }

  apply() {
    if (this.wish === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = this.wish;
  }
}

function read(): Wish {
  const wish = localStorage.getItem(kept);
  return wish === 'light' || wish === 'dark' ? wish : 'system';
}

export const theme = new Theme();

/** The value of a colour of the sheet, for canvases. */
export function colour(name: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}
