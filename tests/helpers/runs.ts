/** How many random cases a property is tried on: the usual number, ten times as many in `npm run test:deep`. */
export const runs = (usual: number): number => (process.env.PERTURB_DEEP ? usual * 10 : usual)
