// Package guest is what the runner on the host and the init in the guest agree
// upon: the [Spec] that tells the init what to do, and the frames in which the
// results come back.
package guest
