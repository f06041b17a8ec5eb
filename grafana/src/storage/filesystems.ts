/** The filesystems chosen in the Storage dashboard. */
export const CHOSEN_FILESYSTEMS = 'mountpoint=~"$mountpoint"';
