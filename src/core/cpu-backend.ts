/** Plain JavaScript, registered at once: for the sandbox's runtime, which cannot fetch a chunk later. */
import '@tensorflow/tfjs-backend-cpu'
