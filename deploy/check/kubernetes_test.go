package check_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// workload is what makes pods.
type workload struct {
	name     string
	replicas int32
	selector *metav1.LabelSelector // nil for jobs
	template *corev1.PodTemplateSpec
	claims   []corev1.PersistentVolumeClaim
	service  string // a StatefulSet's
}

// built is all that kustomize makes of the manifests.
type built struct {
	workloads []workload
	services  []*corev1.Service
	budgets   []*policyv1.PodDisruptionBudget
	policies  []*networkingv1.NetworkPolicy
	maps      map[string]*corev1.ConfigMap
	space     *corev1.Namespace
	accounts  []string
}

// decode reads an object strictly: a field that Kubernetes does not know, or one twice, is an error.
func decode(t *testing.T, text []byte) runtime.Object {
	t.Helper()
	strict := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	object, _, err := strict.Decode(text, nil, nil)
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return object
}

// build runs kustomize over the manifests.
func build(t *testing.T) *built {
	t.Helper()
	made, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), "../kubernetes")
	if err != nil {
		t.Fatal(err)
	}
	b := &built{maps: map[string]*corev1.ConfigMap{}}
	for _, r := range made.Resources() {
		text, err := r.AsYAML()
		if err != nil {
			t.Fatal(err)
		}
		if r.GetKind() != "Namespace" && r.GetNamespace() != "coldtrail" {
			t.Errorf("%s %s is in the namespace %q", r.GetKind(), r.GetName(), r.GetNamespace())
		}
		b.add(t, decode(t, text))
	}
	return b
}

func (b *built) add(t *testing.T, object runtime.Object) {
	t.Helper()
	switch o := object.(type) {
	case *appsv1.StatefulSet:
		b.workloads = append(b.workloads, workload{o.Name, *o.Spec.Replicas, o.Spec.Selector, &o.Spec.Template, o.Spec.VolumeClaimTemplates, o.Spec.ServiceName})
	case *appsv1.Deployment:
		b.workloads = append(b.workloads, workload{o.Name, *o.Spec.Replicas, o.Spec.Selector, &o.Spec.Template, nil, ""})
	case *batchv1.Job:
		b.workloads = append(b.workloads, workload{o.Name, *o.Spec.Parallelism, nil, &o.Spec.Template, nil, ""})
	case *corev1.Service:
		b.services = append(b.services, o)
	case *policyv1.PodDisruptionBudget:
		b.budgets = append(b.budgets, o)
	case *networkingv1.NetworkPolicy:
		b.policies = append(b.policies, o)
	case *corev1.ConfigMap:
		b.maps[o.Name] = o
	case *corev1.Namespace:
		b.space = o
	case *corev1.ServiceAccount:
		b.accounts = append(b.accounts, o.Name)
	default: // a Secret above all
		t.Errorf("%T is not to be here", object)
	}
}

// secrets are the secrets of the template, with their keys.
func secrets(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("../kubernetes/secret.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][]string{}
	for document := range strings.SplitSeq(string(text), "\n---\n") {
		secret, ok := decode(t, []byte(document)).(*corev1.Secret)
		if !ok {
			t.Fatalf("no secret: %s", document)
		}
		for key, value := range secret.StringData {
			found[secret.Name] = append(found[secret.Name], key)
			if value != "" {
				t.Errorf("secret %s: %s has a value", secret.Name, key)
			}
		}
	}
	return found
}

func matches(t *testing.T, selector *metav1.LabelSelector, of map[string]string) bool {
	t.Helper()
	s, err := metav1.LabelSelectorAsSelector(selector)
	if err != nil {
		t.Fatal(err)
	}
	return s.Matches(labels.Set(of))
}

// TestPodsAreRestricted holds every pod to the restricted profile, by the code of the admission itself.
func TestPodsAreRestricted(t *testing.T) {
	b := build(t)
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	level := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	for _, w := range b.workloads {
		if r := policy.AggregateCheckResults(evaluator.EvaluatePod(level, &w.template.ObjectMeta, &w.template.Spec)); !r.Allowed {
			t.Errorf("%s: %s", w.name, r.ForbiddenDetail())
		}
		spec := &w.template.Spec
		if spec.AutomountServiceAccountToken == nil || *spec.AutomountServiceAccountToken {
			t.Errorf("%s gets a token of the cluster's API", w.name)
		}
		for i := range spec.Containers {
			c := &spec.Containers[i]
			if c.SecurityContext.ReadOnlyRootFilesystem == nil || !*c.SecurityContext.ReadOnlyRootFilesystem {
				t.Errorf("%s: its root can be written to", w.name)
			}
			for _, what := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourceEphemeralStorage} {
				request, limit := c.Resources.Requests[what], c.Resources.Limits[what]
				if request.Sign() <= 0 || limit.Cmp(request) < 0 {
					t.Errorf("%s: %s is not limited", w.name, what)
				}
			}
		}
	}
	if got := b.space.Labels["pod-security.kubernetes.io/enforce"]; got != "restricted" {
		t.Errorf("the namespace enforces %q", got)
	}
	if len(b.workloads) != 9 {
		t.Errorf("%d workloads, want 9", len(b.workloads))
	}
}

// TestReferences wants everything that a pod names to be there.
func TestReferences(t *testing.T) {
	b, held := build(t), secrets(t)
	secret := func(who, name, key string) {
		if keys, ok := held[name]; !ok || key != "" && !slices.Contains(keys, key) {
			t.Errorf("%s wants key %q of the secret %s, which the template has not", who, key, name)
		}
	}
	for _, w := range b.workloads {
		spec, volumes := &w.template.Spec, map[string]bool{}
		if name := spec.ServiceAccountName; name != "" && !slices.Contains(b.accounts, name) {
			t.Errorf("%s: no account %s", w.name, name)
		}
		for _, claim := range w.claims {
			volumes[claim.Name] = true
		}
		for _, v := range spec.Volumes {
			volumes[v.Name] = true
			if v.Secret != nil {
				secret(w.name, v.Secret.SecretName, "")
			}
			b.checkMaps(t, w.name, &v)
		}
		for i := range spec.Containers {
			c := &spec.Containers[i]
			for _, m := range c.VolumeMounts {
				if !volumes[m.Name] {
					t.Errorf("%s mounts %s, which it has not", w.name, m.Name)
				}
			}
			set := map[string]bool{}
			for _, e := range c.Env {
				set[e.Name] = true
				if e.ValueFrom != nil && e.ValueFrom.SecretKeyRef != nil {
					secret(w.name, e.ValueFrom.SecretKeyRef.Name, e.ValueFrom.SecretKeyRef.Key)
				}
				if path, ok := strings.CutPrefix(e.Value, "/run/secrets/coldtrail/"); ok {
					secret(w.name, "coldtrail", path)
				}
			}
			for _, argument := range c.Args {
				if _, rest, ok := strings.Cut(argument, "$("); ok && !set[strings.TrimSuffix(rest, ")")] {
					t.Errorf("%s: %s names a variable that is not set", w.name, argument)
				}
			}
			checkProbes(t, w.name, c)
		}
	}
}

func (b *built) checkMaps(t *testing.T, who string, v *corev1.Volume) {
	t.Helper()
	want := func(name string, items []corev1.KeyToPath) {
		m := b.maps[name]
		if m == nil {
			t.Errorf("%s: no ConfigMap %s", who, name)
			return
		}
		for _, item := range items {
			if m.Data[item.Key] == "" {
				t.Errorf("%s: ConfigMap %s has no %s", who, name, item.Key)
			}
		}
	}
	if v.ConfigMap != nil {
		want(v.ConfigMap.Name, v.ConfigMap.Items)
	}
	if v.Projected != nil {
		for _, source := range v.Projected.Sources {
			want(source.ConfigMap.Name, source.ConfigMap.Items)
		}
	}
}

// checkProbes wants probes of ports that are there; engines and workers have no port.
func checkProbes(t *testing.T, who string, c *corev1.Container) {
	t.Helper()
	if len(c.Ports) == 0 {
		return
	}
	if c.ReadinessProbe == nil || c.LivenessProbe == nil {
		t.Errorf("%s has ports and no probes", who)
		return
	}
	for _, p := range []*corev1.Probe{c.StartupProbe, c.ReadinessProbe, c.LivenessProbe} {
		if p != nil && p.HTTPGet != nil && !slices.ContainsFunc(c.Ports, func(port corev1.ContainerPort) bool { return port.Name == p.HTTPGet.Port.StrVal }) {
			t.Errorf("%s: a probe asks the port %s, which is not there", who, p.HTTPGet.Port.StrVal)
		}
	}
}

// TestSelectors wants services, budgets and workloads to select the pods that they are for.
func TestSelectors(t *testing.T) {
	b := build(t)
	for _, w := range b.workloads {
		if w.selector == nil {
			continue
		}
		for _, other := range b.workloads {
			if got := matches(t, w.selector, other.template.Labels); got != (w.name == other.name) {
				t.Errorf("%s selects the pods of %s: %t", w.name, other.name, got)
			}
		}
		budgets := 0
		for _, p := range b.budgets {
			if matches(t, p.Spec.Selector, w.template.Labels) {
				budgets++
				if p.Spec.MinAvailable != nil && int32(p.Spec.MinAvailable.IntValue()) >= w.replicas {
					t.Errorf("%s: no machine can ever be emptied", p.Name)
				}
			}
		}
		if budgets != 1 {
			t.Errorf("%s has %d disruption budgets", w.name, budgets)
		}
		if w.service != "" && !slices.ContainsFunc(b.services, func(s *corev1.Service) bool { return s.Name == w.service }) {
			t.Errorf("%s: no service %s", w.name, w.service)
		}
	}
	for _, s := range b.services {
		if why := validation.IsDNS1035Label(s.Name); len(why) > 0 {
			t.Errorf("service %s: %v", s.Name, why)
		}
		i := slices.IndexFunc(b.workloads, func(w workload) bool {
			return labels.SelectorFromSet(s.Spec.Selector).Matches(labels.Set(w.template.Labels))
		})
		if i < 0 {
			t.Errorf("service %s selects nobody", s.Name)
			continue
		}
		for _, port := range s.Spec.Ports {
			if containerPort(&b.workloads[i], port.TargetPort.StrVal) == 0 {
				t.Errorf("service %s: no port %s", s.Name, port.TargetPort.StrVal)
			}
		}
	}
}

func containerPort(w *workload, name string) int32 {
	for _, p := range w.template.Spec.Containers[0].Ports {
		if p.Name == name {
			return p.ContainerPort
		}
	}
	return 0
}

// reaches says whether the policies let one workload's pods connect to a port of another's: both ends have to allow it.
func (b *built) reaches(t *testing.T, from, to *workload, port int32) bool {
	t.Helper()
	out, in := false, false
	is := func(ports []networkingv1.NetworkPolicyPort) bool {
		return slices.ContainsFunc(ports, func(p networkingv1.NetworkPolicyPort) bool { return p.Port.IntVal == port })
	}
	peer := func(peers []networkingv1.NetworkPolicyPeer, of *workload) bool {
		return slices.ContainsFunc(peers, func(p networkingv1.NetworkPolicyPeer) bool {
			return p.NamespaceSelector == nil && p.IPBlock == nil && matches(t, p.PodSelector, of.template.Labels)
		})
	}
	for _, p := range b.policies {
		if matches(t, &p.Spec.PodSelector, from.template.Labels) {
			for _, rule := range p.Spec.Egress {
				out = out || peer(rule.To, to) && is(rule.Ports)
			}
		}
		if matches(t, &p.Spec.PodSelector, to.template.Labels) {
			for _, rule := range p.Spec.Ingress {
				in = in || peer(rule.From, from) && is(rule.Ports)
			}
		}
	}
	return out && in
}

// TestNetwork wants exactly the connections that the parts need, and no rule without an end or a port.
func TestNetwork(t *testing.T) {
	b := build(t)
	role := func(w *workload) string { return w.template.Labels["app.kubernetes.io/name"] }
	want := map[string]bool{}
	for _, who := range []string{"api", "engine", "ingest"} {
		want[who+" clickhouse 9000"], want[who+" keeper 2181"], want[who+" postgres 5432"] = true, true, true
	}
	for _, line := range []string{"clickhouse clickhouse 9000", "clickhouse clickhouse 9009", "clickhouse keeper 2181", "keeper keeper 2888", "keeper keeper 3888"} {
		want[line] = true
	}
	for i := range b.workloads {
		for j := range b.workloads {
			for _, port := range []int32{2181, 2888, 3888, 5432, 8123, 8801, 9000, 9009} {
				line := fmt.Sprintf("%s %s %d", role(&b.workloads[i]), role(&b.workloads[j]), port)
				if got := b.reaches(t, &b.workloads[i], &b.workloads[j], port); got != want[line] {
					t.Errorf("%s: %t, want %t", line, got, want[line])
				}
			}
		}
	}
	denied := false
	for _, p := range b.policies {
		denied = denied || len(p.Spec.PodSelector.MatchLabels)+len(p.Spec.PodSelector.MatchExpressions) == 0 && len(p.Spec.PolicyTypes) == 2 && p.Spec.Ingress == nil && p.Spec.Egress == nil
		for _, rule := range p.Spec.Egress {
			if len(rule.To) == 0 || len(rule.Ports) == 0 {
				t.Errorf("%s lets out to anywhere", p.Name)
			}
		}
		for _, rule := range p.Spec.Ingress {
			if len(rule.From) == 0 || len(rule.Ports) == 0 {
				t.Errorf("%s lets anybody in", p.Name)
			}
		}
	}
	if !denied {
		t.Error("no policy denies what the others do not name")
	}
}

// TestHosts wants every host in the configuration of ClickHouse and ZooKeeper to be a pod that there is.
func TestHosts(t *testing.T) {
	b := build(t)
	text := ""
	for name, m := range b.maps {
		if strings.HasPrefix(name, "clickhouse-cluster") || strings.HasPrefix(name, "keeper-config") {
			for _, data := range m.Data {
				text += data
			}
		}
	}
	for _, w := range b.workloads {
		if w.service != "clickhouse-nodes" && w.service != "keeper-nodes" {
			continue
		}
		for i := int32(1); i <= w.replicas; i++ {
			if host := fmt.Sprintf("%s-%d.%s", w.name, i, w.service); !strings.Contains(text, host+"<") && !strings.Contains(text, host+":") {
				t.Errorf("no configuration names %s", host)
			}
		}
	}
	if n := strings.Count(text, "<replica>"); n != 4 {
		t.Errorf("%d replicas, want 4", n)
	}
}
