/** Is the page one column, as the style sheets make it below this width? */
export const onPhone = () => matchMedia('(max-width: 760px)').matches
