/** The goals, one class each; they only translate between Maven and the command. */
package dev.rasher.maven;
