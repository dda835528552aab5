// Package table shows people what was traced: a line for each program load with its
// groups, histograms and events, the environment, the summary and the diagnosis.
package table
