/** The guests chosen in the Memory dashboard. */
export const CHOSEN_GUESTS = 'domain=~"$domain"';
