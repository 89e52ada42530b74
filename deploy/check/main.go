// Judges what lies in deploy/ by the types and rules of those who read it: the objects of a rendered chart by Kubernetes'
// own types and its Pod Security Standards, the Containerfile by BuildKit's parser.
//
//	helm template ... | check chart
//	check container FILE
package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	security "k8s.io/pod-security-admission/api"
	standards "k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/yaml"
)

func main() {
	var problems []string
	var err error
	switch {
	case len(os.Args) == 2 && os.Args[1] == "chart":
		problems, err = chart(os.Stdin)
	case len(os.Args) == 3 && os.Args[1] == "container":
		problems, err = container(os.Args[2])
	default:
		err = errors.New("usage: check chart < OBJECTS, check container FILE")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	for _, problem := range problems {
		fmt.Fprintln(os.Stderr, problem)
	}
	if len(problems) > 0 {
		os.Exit(1)
	}
}

// chart reads every object strictly, so that no field is misspelt or misplaced, and holds it to what a release needs.
func chart(input io.Reader) ([]string, error) {
	text, err := io.ReadAll(input)
	if err != nil {
		return nil, err
	}
	var problems []string
	selectors := map[string]bool{}
	var pods map[string]string
	count := 0
	for _, document := range bytes.Split(text, []byte("\n---")) {
		var kind struct {
			meta.TypeMeta `json:",inline"`
			Metadata      meta.ObjectMeta `json:"metadata"`
		}
		if err := yaml.Unmarshal(document, &kind); err != nil {
			return nil, err
		}
		if kind.Kind == "" {
			continue
		}
		count++
		complain := func(format string, values ...any) {
			problems = append(problems, kind.Kind+" "+kind.Metadata.Name+": "+fmt.Sprintf(format, values...))
		}
		selects := func(labels map[string]string) { selectors[fmt.Sprint(labels)] = true }
		strictly := func(into any) {
			if err := yaml.UnmarshalStrict(document, into); err != nil {
				complain("%v", err)
			}
		}
		switch kind.APIVersion + "/" + kind.Kind {
		case "apps/v1/Deployment":
			var object apps.Deployment
			strictly(&object)
			selects(object.Spec.Selector.MatchLabels)
			pods = object.Spec.Template.Labels
			deployment(&object, complain)
		case "v1/Service":
			var object core.Service
			strictly(&object)
			selects(object.Spec.Selector)
		case "v1/ConfigMap":
			strictly(&core.ConfigMap{})
		case "v1/ServiceAccount":
			strictly(&core.ServiceAccount{})
		case "v1/PersistentVolumeClaim":
			strictly(&core.PersistentVolumeClaim{})
		case "networking.k8s.io/v1/Ingress":
			strictly(&networking.Ingress{})
		case "networking.k8s.io/v1/NetworkPolicy":
			var object networking.NetworkPolicy
			strictly(&object)
			selects(object.Spec.PodSelector.MatchLabels)
		case "policy/v1/PodDisruptionBudget":
			var object policy.PodDisruptionBudget
			strictly(&object)
			selects(object.Spec.Selector.MatchLabels)
		case "autoscaling/v2/HorizontalPodAutoscaler":
			strictly(&autoscaling.HorizontalPodAutoscaler{})
		case "monitoring.coreos.com/v1/ServiceMonitor":
			// The operator's own type; its form is small enough to be seen.
		default:
			complain("%s is no kind that this chart is known to have", kind.APIVersion)
		}
	}
	if count == 0 || pods == nil {
		problems = append(problems, "there is no Deployment")
	}
	if len(selectors) != 1 {
		problems = append(problems, fmt.Sprintf("the selectors differ: %v", selectors))
	}
	return problems, nil
}

func deployment(object *apps.Deployment, complain func(string, ...any)) {
	spec := object.Spec.Template.Spec
	evaluator, err := standards.NewEvaluator(standards.DefaultChecks(), nil)
	if err != nil {
		complain("%v", err)
		return
	}
	restricted := security.LevelVersion{Level: security.LevelRestricted, Version: security.LatestVersion()}
	results := evaluator.EvaluatePod(restricted, &object.Spec.Template.ObjectMeta, &spec)
	if verdict := standards.AggregateCheckResults(results); !verdict.Allowed {
		complain("not restricted: %s", verdict.ForbiddenDetail())
	}
	for label, value := range object.Spec.Selector.MatchLabels {
		if object.Spec.Template.Labels[label] != value {
			complain("the selector's label %s is not on the pods", label)
		}
	}
	if len(spec.TopologySpreadConstraints) == 0 {
		complain("pods are not spread")
	}
	if spec.TerminationGracePeriodSeconds == nil || *spec.TerminationGracePeriodSeconds <= 20 {
		complain("pods are killed before what is in flight has ended")
	}
	volumes := map[string]bool{}
	for _, volume := range spec.Volumes {
		volumes[volume.Name] = true
	}
	for _, one := range spec.Containers {
		if one.ReadinessProbe == nil || one.LivenessProbe == nil || one.StartupProbe == nil {
			complain("%s lacks a probe", one.Name)
		}
		if one.SecurityContext == nil || one.SecurityContext.ReadOnlyRootFilesystem == nil ||
			!*one.SecurityContext.ReadOnlyRootFilesystem {
			complain("the root of %s can be written", one.Name)
		}
		if one.Resources.Limits.Memory().IsZero() || one.Resources.Requests.Cpu().IsZero() {
			complain("%s says nothing of what it needs", one.Name)
		}
		for _, mount := range one.VolumeMounts {
			if !volumes[mount.Name] {
				complain("%s mounts %s, which is no volume", one.Name, mount.Name)
			}
		}
	}
}

// container parses a Containerfile as a build would, hears BuildKit's linter, and looks at the last stage.
func container(file string) ([]string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	parsed, err := parser.Parse(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	var problems []string
	warn := func(rule, description, _, message string, _ []parser.Range) {
		problems = append(problems, fmt.Sprintf("%s: %s (%s)", rule, message, description))
	}
	stages, _, err := instructions.Parse(parsed.AST, linter.New(&linter.Config{Warn: warn}))
	if err != nil {
		return nil, err
	}
	for _, stage := range stages {
		image, tag, tagged := strings.Cut(stage.BaseName, ":")
		if !tagged || tag == "latest" {
			problems = append(problems, image+" is whatever it is today")
		}
		for _, command := range stage.Commands {
			if _, is := command.(*instructions.AddCommand); is {
				problems = append(problems, "ADD fetches and unpacks; COPY does not")
			}
		}
	}
	last := stages[len(stages)-1]
	user, health, entry := "", false, false
	for _, command := range last.Commands {
		switch command := command.(type) {
		case *instructions.UserCommand:
			user, _, _ = strings.Cut(command.User, ":")
		case *instructions.HealthCheckCommand:
			health = true
		case *instructions.EntrypointCommand:
			entry = !command.PrependShell
		case *instructions.RunCommand:
			problems = append(problems, "the last stage runs something, and has no shell")
		}
	}
	// A number, so that Kubernetes can see that it is not root.
	if id, err := strconv.Atoi(user); err != nil || id == 0 {
		problems = append(problems, "the last stage runs as "+strconv.Quote(user))
	}
	if !health {
		problems = append(problems, "there is no HEALTHCHECK")
	}
	if !entry {
		problems = append(problems, "the ENTRYPOINT needs a shell, and signals would not arrive")
	}
	return problems, nil
}
