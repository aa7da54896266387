/**
 * Profiles that are too much alike: invented users are made from one mould, so the nearest of their kind lie
 * nearer than an honest user's. Burke, Mobasher, Williams, Bhaumik 2006, "Classification Features for Attack
 * Detection in Collaborative Recommender Systems", §3.1 (DegSim), KDD.
 *
 * Differs from the paper: the likeness is Jaccard's, of the sets of rated items, not a correlation of
 * ratings: two items in common correlate perfectly. Profiles with many random fillers (bandwagon) are less
 * alike than popular-only ones, and partly walk past.
 */
import { throwIfCancelled, type RunContext } from '../../core/run.ts'
import { nextTask } from '../../core/platform.ts'
import { checkRatings, placesByUser, type Ratings } from '../../data/ratings.ts'

export interface ProfileSimilarityOptions {
  /** How many of the likest other users are looked at. */
  neighbours: number
  /** Share of all users that is flagged, the most alike; rounded down. */
  share: number
}

/**
 * The mean Jaccard likeness of each user to the `neighbours` likest others, from 0 to 1 (0 for a user without
 * ratings), and who is flagged. Compares every pair of users. Throws RangeError for neighbours below 1 and a
 * share outside [0, 1]; `bad-input` for ratings that do not fit.
 */
export async function profileSimilarity(
  ratings: Ratings,
  { neighbours, share }: ProfileSimilarityOptions,
  run: RunContext,
): Promise<{ scores: Float64Array; flaggedUsers: Int32Array }> {
  if (!(Number.isInteger(neighbours) && neighbours >= 1))
    throw new RangeError(
      `profile-similarity: neighbours must be a whole number of at least 1; got ${neighbours}`,
    )
  if (!(share >= 0 && share <= 1))
    throw new RangeError(`profile-similarity: share must lie in [0, 1]; got ${share}`)
  checkRatings('profile-similarity', ratings)
  const rated = placesByUser(ratings).map((places) => places.map((place) => ratings.items[place]!))
  const raters = Array.from({ length: ratings.numItems }, (): number[] => [])
  for (const [user, items] of rated.entries()) for (const item of items) raters[item]!.push(user)
  const scores = new Float64Array(ratings.numUsers)
  const common = new Int32Array(ratings.numUsers)
  for (const [user, items] of rated.entries()) {
    if (user % 128 === 0) {
      await nextTask()
      throwIfCancelled(run)
      run.onStep?.(user + 1, ratings.numUsers)
    }
    common.fill(0)
    for (const item of items) for (const other of raters[item]!) common[other]! += 1
    const likeness = Array.from(common, (shared, other) =>
      shared === 0 || other === user ? 0 : shared / (items.length + rated[other]!.length - shared),
    ).sort((a, b) => b - a)
    const nearest = likeness.slice(0, neighbours)
    scores[user] = nearest.reduce((sum, value) => sum + value, 0) / neighbours
  }
  const count = Math.floor(share * ratings.numUsers + 1e-9)
  const order = [...scores.keys()].sort((a, b) => scores[b]! - scores[a]! || a - b)
  return { scores, flaggedUsers: Int32Array.from(order.slice(0, count)).sort() }
}

/** The ratings without those of these users; everybody keeps their number. */
export function withoutUsers(ratings: Ratings, users: Iterable<number>): Ratings {
  const gone = new Set(users)
  const kept = [...ratings.users.keys()].filter((place) => !gone.has(ratings.users[place]!))
  return {
    ...ratings,
    users: Int32Array.from(kept, (place) => ratings.users[place]!),
    items: Int32Array.from(kept, (place) => ratings.items[place]!),
    values: Float32Array.from(kept, (place) => ratings.values[place]!),
  }
}
